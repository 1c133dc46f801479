import { setTimeout as delay } from 'node:timers/promises';
import {
  PutSecretValueCommand,
  SecretsManagerClient,
  UpdateSecretCommand,
  UpdateSecretVersionStageCommand,
} from '@aws-sdk/client-secrets-manager';
import { afterAll, expect, test } from 'vitest';
import { startTestDatabase } from '../../support/database/database.ts';
import { eventually, http } from '../../support/http.ts';
import { fc, SEED } from '../../support/random.ts';
import {
  type RotatingBroker,
  SECRET_ID,
  startRotatingBroker,
} from '../../support/rotation/rotating-broker.ts';
import { SteadyLoad } from '../../support/rotation/steady-load.ts';
import { beginWorking } from '../../support/rotation/working-transaction.ts';
import { type SlowProxy, startSlowProxy } from '../../support/slow-proxy.ts';
import { anyOrder, anyRotatedPool, type RotatedPool, type RotationOrder } from './support/rotation-order.ts';
import { createWritten, rowsWrittenBy, WritingCallers } from './support/writing-callers.ts';

const ROTATIONS = Number(process.env.ROTATION_ORDERS ?? 20);
const ROTATIONS_A_POOL = 5;
const REQUESTS_PER_SECOND = 60;
/** What one connection to a server far away bears on a busy machine. */
const SLOW_REQUESTS_PER_SECOND = 8;
const LARGEST_BURST = 15;
const BURST_PER_CONNECTION = 5;
/** Rows of a stream that holds its connection for most of a second. */
const STREAMED_ROWS = 16;
const STREAMED = `SELECT n, SLEEP(0.05) FROM (${unionOf(STREAMED_ROWS)}) AS numbers`;

const database = await startTestDatabase();
afterAll(database.stop);

/** The users whose credentials a secret may hold by turns, and what its next value will be. */
class Passwords {
  readonly #rotating: RotatingBroker;
  readonly #clone: string;
  #user: string;
  #password = 'old';
  #changes = 0;

  private constructor(rotating: RotatingBroker) {
    this.#rotating = rotating;
    this.#user = rotating.user;
    this.#clone = `${rotating.user}_clone`;
  }

  static async of(rotating: RotatingBroker): Promise<Passwords> {
    await database.admin.createUser({ ...database.app, user: `${rotating.user}_clone`, password: 'unused' });
    return new Passwords(rotating);
  }

  /** Decides on the next credentials. */
  next(form: RotationOrder['form']): void {
    this.#changes += 1;
    this.#password = `password ${this.#changes}`;
    if (form === 'turns') this.#user = this.#user === this.#clone ? this.#rotating.user : this.#clone;
  }

  get secret(): string {
    return this.#rotating.secretWith(this.#password, { username: this.#user });
  }

  async tellServer(): Promise<void> {
    await database.admin.query("ALTER USER ?@'%' IDENTIFIED BY ?", [this.#user, this.#password]);
  }
}

function unionOf(rows: number): string {
  return Array.from({ length: rows }, (_, n) => `SELECT ${n} AS n`).join(' UNION ALL ');
}

/** What a pool can bear while a transaction holds one of its connections: a line without end would tell of nothing else. */
function loadFor({ size, maxOverflow, slowByMs }: RotatedPool): { perSecond: number; burst: number } {
  const connections = size + maxOverflow;
  const free = Math.max(1, connections - 1);
  return {
    perSecond:
      slowByMs > 0 ? Math.min(REQUESTS_PER_SECOND, SLOW_REQUESTS_PER_SECOND * free) : REQUESTS_PER_SECOND,
    burst: Math.min(LARGEST_BURST, BURST_PER_CONNECTION * connections),
  };
}

async function rotate(
  rotating: RotatingBroker,
  passwords: Passwords,
  client: SecretsManagerClient,
  { form, steps }: RotationOrder,
  asked: Promise<unknown>[],
  burstSize: number,
  tell: (failure: string) => void,
): Promise<void> {
  const { broker, secrets, refresh } = rotating;
  passwords.next(form);
  const SecretString = passwords.secret;
  const before = secrets.versionIdOf(SECRET_ID, 'AWSCURRENT');
  const put = async (command: PutSecretValueCommand | UpdateSecretCommand) =>
    (await client.send(command)).VersionId;
  const pendingId =
    form === 'pending'
      ? await put(
          new PutSecretValueCommand({ SecretId: SECRET_ID, SecretString, VersionStages: ['AWSPENDING'] }),
        )
      : undefined;
  const putInForce = async () => {
    if (pendingId !== undefined) {
      await client.send(
        new UpdateSecretVersionStageCommand({
          SecretId: SECRET_ID,
          VersionStage: 'AWSCURRENT',
          MoveToVersionId: pendingId,
          RemoveFromVersionId: before,
        }),
      );
    } else if (steps.length % 2 === 0)
      await put(new PutSecretValueCommand({ SecretId: SECRET_ID, SecretString }));
    else await put(new UpdateSecretCommand({ SecretId: SECRET_ID, SecretString }));
  };
  const burst = async () => {
    const sql = 'SELECT SLEEP(0.05)';
    const { status, text } = await broker.post('/v1/databases/default/query', { sql });
    if (status !== 200) tell(`burst: ${text}`);
  };
  const stream = async () => {
    const headers = { ...broker.headers(), accept: 'application/x-ndjson' };
    const body = JSON.stringify({ sql: STREAMED });
    const { status, text } = await http(broker.queryUrl(), { headers, body });
    const isWhole = text.includes(`"rowCount":${STREAMED_ROWS},`);
    if (status !== 200 || !isWhole) tell(`stream: ${text}`);
  };
  const happenings = {
    password: async () => await passwords.tellServer(),
    secret: putInForce,
    notice: () => void asked.push(refresh()),
    burst: () => void asked.push(...Array.from({ length: burstSize }, burst)),
    stream: () => void asked.push(stream()),
    trouble: () => {
      rotating.secrets.troubleOfReads = steps.length % 2 === 0 ? 'silent' : 'ThrottlingException';
    },
    recovery: () => {
      rotating.secrets.troubleOfReads = undefined;
    },
  };
  for (const { happens, afterMs } of steps) {
    await delay(afterMs);
    await happenings[happens]();
  }
  secrets.troubleOfReads = undefined;
}

/** What a pool of this kind told its callers in these rotations, other than what they asked for. */
async function failuresOf(pool: RotatedPool, orders: readonly RotationOrder[]): Promise<readonly string[]> {
  const { slowByMs, minRefreshIntervalMs, ...sizes } = pool;
  let proxy: SlowProxy | undefined;
  if (slowByMs > 0) proxy = await startSlowProxy(database.server.port, slowByMs);
  const port = proxy?.port ?? database.server.port;
  await createWritten(database);
  const rotating = await startRotatingBroker(database, {
    secrets: { minRefreshIntervalMs },
    databases: {
      default: {
        host: '127.0.0.1',
        port,
        pool: { ...sizes, checkoutTimeoutMs: 15_000 },
        limits: { maxStreams: 100 },
        // A busy machine may hold up the statement after which a transaction does not count as idle.
        transactions: { idleTimeoutMs: 60_000, lifetimeMs: 120_000 },
      },
    },
  });
  const passwords = await Passwords.of(rotating);
  const client = new SecretsManagerClient();
  const post = async (path: string, body: unknown) => await rotating.broker.post(path, body);
  await eventually(
    async () => await post('/v1/databases/default/query', { sql: 'SELECT 1' }),
    ({ status }) => status === 200,
  );
  const callers = new WritingCallers(post);
  const { perSecond, burst } = loadFor(pool);
  const load = new SteadyLoad(perSecond, callers.ask);
  const failures: string[] = [];
  /** Bursts and notices, which may take longer than the rotation that they belong to. */
  const asked: Promise<unknown>[] = [];
  let inTransactions = 0;
  for (const [index, order] of orders.entries()) {
    // A transaction holds a connection all the while where there is another one.
    const isHeld = sizes.size + sizes.maxOverflow > 1 && index % 2 === 0;
    const transaction = isHeld
      ? await beginWorking(post, "INSERT INTO written (who) VALUES ('transactions')")
      : undefined;
    const tell = (failure: string) =>
      void failures.push(`${failure} in ${JSON.stringify({ index, pool, order })}`);
    await rotate(rotating, passwords, client, order, asked, burst, tell);
    inTransactions += (await transaction?.commit()) ?? 0;
    load.take().failures.forEach(tell);
  }
  await Promise.all(asked);
  failures.push(...(await load.stop()).failures);
  expect(await rowsWrittenBy(database, 'callers')).toBe(callers.written);
  expect(await rowsWrittenBy(database, 'transactions')).toBe(inTransactions);
  client.destroy();
  await rotating.stop();
  await proxy?.close();
  return failures;
}

const pools = fc.sample(anyRotatedPool, { seed: SEED, numRuns: Math.ceil(ROTATIONS / ROTATIONS_A_POOL) });

test('in whatever order password, secret and notice come, every call is answered', {
  timeout: 60_000 + ROTATIONS * 10_000,
}, async () => {
  console.log(`${ROTATIONS} rotations in any order; TEST_SEED=${SEED} repeats them`);
  const failures: string[] = [];
  for (const [index, pool] of pools.entries()) {
    const orders = fc.sample(anyOrder, { seed: SEED + index, numRuns: ROTATIONS_A_POOL });
    failures.push(...(await failuresOf(pool, orders)));
  }
  expect(failures).toEqual([]);
});
