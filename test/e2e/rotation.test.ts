import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startTestDatabase } from '../support/database.ts';
import { eventually } from '../support/http.ts';
import { type RotationScene, startRotationScene } from '../support/rotation-scene.ts';
import { SteadyLoad } from '../support/steady-load.ts';
import { beginWorking } from '../support/working-transaction.ts';

const ROTATIONS = Number(process.env.ROTATIONS ?? 30);
const REQUESTS_PER_SECOND = 200;
const CONNECTIONS = 10;
/** Open at every moment; twice as many while they change over. */
const TRANSACTIONS = 2;
/** The connections of a password are gone so soon after their last use. */
const LINGER_MS = 1_000;
/**
 * Longer than `minRefreshIntervalMs`, so that logins which are refused may look again in each rotation, and in every
 * fifth as long as a rotation by AWS's own functions takes.
 */
const windowMs = (rotation: number) => (rotation % 5 === 0 ? 2_000 : 1_200);

const database = await startTestDatabase();
afterAll(database.stop);

beforeAll(async () => {
  await database.admin.query(
    'CREATE TABLE app.written (id INT AUTO_INCREMENT PRIMARY KEY, who VARCHAR(20)) ENGINE = InnoDB',
  );
});

/** Reads, writes and transactions of one call, by turns. */
class Callers {
  readonly #scene: RotationScene;
  /** Rows that the broker said are written. */
  written = 0;

  constructor(scene: RotationScene) {
    this.#scene = scene;
  }

  readonly ask = async (turn: number) => {
    const { post } = this.#scene;
    const write = { sql: "INSERT INTO written (who) VALUES ('callers')" };
    if (turn % 10 === 0) return await this.#write(post('/v1/databases/default/query', write), 1);
    if (turn % 10 === 1) {
      const statements = [write, write];
      return await this.#write(post('/v1/databases/default/transaction', { statements }), 2);
    }
    return await post('/v1/databases/default/query', {
      sql: 'SELECT id, who FROM written WHERE id = ?',
      params: [turn],
    });
  };

  async #write(replying: ReturnType<RotationScene['post']>, rows: number) {
    const reply = await replying;
    if (reply.status === 200) this.written += rows;
    return reply;
  }
}

async function rowsOf(who: string): Promise<number> {
  const [row] = await database.admin.query('SELECT COUNT(*) AS n FROM app.written WHERE who = ?', [who]);
  return Number(row?.n);
}

test.each([
  ['of a single user, whose new password waits in AWSPENDING,', 'single', false],
  ['of two users that take turns', 'turning', true],
])('a rotation %s fails no request, loses no transaction and leaves no old connection, again and again', {
  timeout: 300_000,
}, async (_, user, takesTurns) => {
  const pool = { size: CONNECTIONS, maxOverflow: 0 };
  await using scene = await startRotationScene(database, { user, takesTurns, pool });
  const { post, rotate, threads, logins } = scene;
  const beginTwo = async () => {
    const sql = `INSERT INTO written (who) VALUES ('${user}')`;
    return await Promise.all(Array.from({ length: TRANSACTIONS }, async () => await beginWorking(post, sql)));
  };
  await database.admin.query("DELETE FROM app.written WHERE who = 'callers'");
  const callers = new Callers(scene);
  const load = new SteadyLoad(REQUESTS_PER_SECOND, callers.ask);
  await delay(1_000);
  load.take();
  await delay(3_000);
  const quiet = load.take();

  let inTransactions = 0;
  let mostLogins = 0;
  let transactions = await beginTwo();
  for (let rotation = 1; rotation <= ROTATIONS; rotation += 1) {
    const loginsBefore = await logins();
    const old = await threads();
    // Every other time all connections are replaced while only the pending password opens any.
    const replacesAll = rotation % 2 === 0;
    await rotate(async () => {
      if (replacesAll) await post('/v1/databases/default/reconnect', {}, 'admin-key');
      await delay(takesTurns ? 100 : windowMs(rotation));
    });

    const next = await beginTwo();
    const held = transactions.map(({ threadId }) => threadId);
    const goneButFor = (spared: readonly number[]) => (alive: readonly number[]) =>
      alive.every((thread) => !old.includes(thread) || spared.includes(thread));
    await eventually(threads, goneButFor(held), LINGER_MS);
    expect(await threads()).toEqual(expect.arrayContaining(held));
    for (const transaction of transactions) inTransactions += await transaction.commit();
    await eventually(threads, goneButFor([]), LINGER_MS);
    transactions = next;

    const planned = replacesAll ? CONNECTIONS : 0;
    mostLogins = Math.max(mostLogins, (await logins()) - loginsBefore - planned);
  }
  for (const transaction of transactions) inTransactions += await transaction.commit();
  const rotating = await load.stop();

  const inWords = ({ served, p99Ms, slowestMs }: typeof quiet) =>
    `${served} requests, p99 ${p99Ms.toFixed(1)} ms, slowest ${slowestMs.toFixed(0)} ms`;
  console.log(
    `${ROTATIONS} rotations (${user}): ${inWords(rotating)}; before: ${inWords(quiet)}; at most ${mostLogins} more logins for ${CONNECTIONS} connections`,
  );
  expect([...quiet.failures, ...rotating.failures]).toEqual([]);
  expect(rotating.served).toBeGreaterThan(20 * ROTATIONS);
  expect(await rowsOf('callers')).toBe(callers.written);
  expect(await rowsOf(user)).toBe(inTransactions);
  // With those of the rotation's own steps.
  expect(mostLogins).toBeLessThanOrEqual(2 * CONNECTIONS);
});
