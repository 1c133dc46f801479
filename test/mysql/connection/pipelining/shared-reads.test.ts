import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { CancelSource } from '../../../../lib/async/cancellation.ts';
import { Deadline } from '../../../../lib/async/deadline.ts';
import { buildCredentialsSources } from '../../../../lib/credentials/build-sources.ts';
import { BrokerError } from '../../../../lib/errors.ts';
import { MysqlConnector } from '../../../../lib/mysql/connection/connector.ts';
import type { QueryExecutionOptions } from '../../../../lib/mysql/connection/execution-options.ts';
import { KillConnection } from '../../../../lib/mysql/connection/kill/kill-channel.ts';
import type { MysqlConnection } from '../../../../lib/mysql/connection/mysql-connection.ts';
import { LostPlaceError } from '../../../../lib/mysql/connection/pipelining/read-pipeline.ts';
import { rowsOf } from '../../../../lib/mysql/result/result-collector.ts';
import { parseSettings } from '../../../../lib/settings/parse-settings.ts';
import { settingsFor } from '../../../support/broker.ts';
import { startTestDatabase, type TestDatabase } from '../../../support/database/database.ts';
import { eventually } from '../../../support/http.ts';

/** A failure names the seed that repeats it. */
const SEED = Number(process.env.MODEL_SEED ?? Date.now() % 2 ** 31);
const GROUPS = Number(process.env.MODEL_GROUPS ?? 60);
/** Takes minutes, and ends with an error whenever it is interrupted. Without a condition MySQL multiplies the tables' counts. */
const ENDLESS =
  'SELECT COUNT(*) FROM digits a, digits b, digits c, digits d, digits e, digits f, digits g, digits h, digits i WHERE a.n + b.n + c.n + d.n + e.n + f.n + g.n + h.n < i.n';

let database: TestDatabase;
let connector: MysqlConnector;
const control = new KillConnection();
const open = new Set<MysqlConnection>();

beforeAll(async () => {
  database = await startTestDatabase();
  await database.admin.query('CREATE TABLE app.digits (n INT PRIMARY KEY)');
  await database.admin.query(
    `INSERT INTO app.digits VALUES ${[...'0123456789'].map((n) => `(${n})`).join()}`,
  );
  const settings = parseSettings(
    settingsFor(database, { databases: { default: { pool: { pipelineFasterThanMs: 40 } } } }),
  );
  const [source] = [...buildCredentialsSources(settings).values()];
  const alias = settings.databases.default;
  if (source === undefined || alias === undefined) throw new Error('no database in the settings');
  connector = new MysqlConnector(alias, source, () => control);
});

afterAll(async () => {
  await Promise.all([...open].map(async (connection) => await connection.close()));
  await control.close();
  await database.stop();
});

async function connect(): Promise<MysqlConnection> {
  const connection = await connector.open(10_000);
  open.add(connection);
  return connection;
}

function optionsOf(parts: Partial<QueryExecutionOptions> = {}): QueryExecutionOptions {
  return {
    limits: { maxRows: 100, maxResultBytes: 1_000_000 },
    deadline: Deadline.after(30_000),
    signal: undefined,
    isReadOnly: false,
    isPlain: true,
    cannotWrite: true,
    effect: 'all_or_nothing',
    ...parts,
  };
}

/** What a read may come to, besides losing its place. */
type Fate = 'own' | 'deadline' | 'hang-up' | 'too large' | number;

interface Read {
  readonly sql: string;
  readonly options: QueryExecutionOptions;
  readonly fates: readonly Fate[];
  /** How it may stop others. */
  readonly isStopper: boolean;
}

const KINDS = [
  'own',
  'wide',
  'slow',
  'syntax',
  'limit',
  'deadline',
  'deadlineBehind',
  'hangUp',
  'rows',
  'bytes',
] as const;
type Kind = (typeof KINDS)[number];

function readOf(kind: Kind, name: string, afterMs: number): Read {
  const own = `SELECT '${name}' AS name`;
  const make = (sql: string, fates: readonly Fate[], parts = {}, isStopper = fates.length > 1): Read => ({
    sql,
    options: optionsOf(parts),
    fates,
    isStopper,
  });
  switch (kind) {
    case 'own':
      return make(own, ['own']);
    case 'wide':
      return make(`${own}, REPEAT('x', 70000) AS x`, ['own']);
    case 'slow':
      return make(`${own}, SLEEP(0.02) AS nap`, ['own']);
    case 'syntax':
      return make(`${own} FROM`, [1064]);
    case 'limit':
      return database.server.flavour === 'mysql'
        ? // While it counts rows, MySQL says of its own limit that the statement was interrupted.
          make(ENDLESS.replace('SELECT', 'SELECT /*+ MAX_EXECUTION_TIME(30) */'), [3024, 1317], {}, false)
        : make(`SET STATEMENT max_statement_time = 0.03 FOR ${ENDLESS}`, [1969]);
    case 'deadline':
      return make(ENDLESS, ['deadline'], { deadline: Deadline.after(20 + afterMs) }, true);
    case 'deadlineBehind':
      return make(own, ['own', 'deadline'], { deadline: Deadline.after(afterMs) });
    case 'hangUp': {
      const signal = new CancelSource();
      setTimeout(() => signal.cancel(new Error('gone')), afterMs);
      return make(
        afterMs % 2 === 0 ? own : ENDLESS,
        afterMs % 2 === 0 ? ['own', 'hang-up'] : ['hang-up'],
        { signal },
        true,
      );
    }
    case 'rows':
      return make(
        'SELECT n FROM digits',
        ['too large'],
        { limits: { maxRows: 3, maxResultBytes: 1_000_000 } },
        true,
      );
    case 'bytes':
      return make(
        "SELECT REPEAT('y', 200000) FROM digits",
        ['too large'],
        { limits: { maxRows: 100, maxResultBytes: 1_000 } },
        true,
      );
  }
}

/** What it came to. */
async function fateOf(
  read: Read,
  name: string,
  run: () => ReturnType<MysqlConnection['query']>,
): Promise<Fate | 'lost'> {
  try {
    const [row] = rowsOf(await run());
    if (row?.[0] !== name) throw new Error(`${read.sql} was answered ${JSON.stringify(row)}`);
    return 'own';
  } catch (error) {
    if (error instanceof LostPlaceError) return 'lost';
    if (error instanceof BrokerError && error.outcome === 'not_applied') {
      // A server's limit is a deadline too, with its number.
      if (error.mysql !== undefined) return error.mysql.errno;
      if (error.code === 'DEADLINE_EXCEEDED') return 'deadline';
      if (error.code === 'RESULT_TOO_LARGE') return 'too large';
    }
    if (error instanceof Error && error.message === 'gone') return 'hang-up';
    throw error;
  }
}

test('whatever happens to one of them: each read has its own answer, or loses its place to one before it', async () => {
  console.log(`shared reads at random: MODEL_SEED=${SEED} repeats them`);
  let connection = await connect();
  const aside = await connect();
  let round = 0;
  const anyGroup = fc.tuple(
    fc.array(fc.record({ kind: fc.constantFrom(...KINDS), afterMs: fc.nat({ max: 60 }) }), {
      minLength: 2,
      maxLength: 8,
    }),
    fc.boolean(),
  );
  await fc.assert(
    fc.asyncProperty(anyGroup, async ([kinds, isReadOnly]) => {
      round += 1;
      if (!connection.isUsable) {
        await connection.close();
        connection = await connect();
      }
      const events: string[] = [];
      const reads = kinds.map(({ kind, afterMs }, index) => ({
        read: readOf(kind, `${round}-${index}`, afterMs),
        name: `${round}-${index}`,
      }));
      const fates = await Promise.all(
        reads.map(
          async ({ read, name }, index) =>
            await fateOf(read, name, () =>
              connection.sharedReads.query(
                { text: read.sql },
                { ...read.options, isReadOnly },
                {
                  onTurn: () => events.push(`turn ${index}`),
                  onGone: () => events.push(`gone ${index}`),
                },
              ),
            ),
        ),
      );
      for (const [index, fate] of fates.entries()) {
        const { read, name } = reads[index] ?? expect.fail();
        if (fate !== 'lost') expect(read.fates).toContain(fate);
        else {
          // Somebody before it was stopped, or all before it took too long.
          expect(
            reads.slice(0, index).some((before) => before.read.isStopper || before.read.fates[0] !== 'own') ||
              index > 1,
          ).toBe(true);
          const again = await fateOf(read, name, () =>
            aside.query(read.sql, { ...read.options, isPlain: false }),
          );
          expect(read.fates).toContain(again);
          await aside.reset();
        }
      }
      await eventually(
        async () => events.filter((event) => event.startsWith('gone')).toSorted(),
        (gone) => gone.length === reads.length,
      );
      expect(new Set(events).size).toBe(events.length);
      const turns = events.filter((event) => event.startsWith('turn')).map((event) => Number(event.slice(5)));
      expect(turns).toEqual(turns.toSorted((one, other) => one - other));
      if (connection.isUsable) {
        await connection.reset();
        expect(rowsOf(await connection.query("SELECT 'in order'", optionsOf()))).toEqual([['in order']]);
      }
    }),
    { numRuns: GROUPS, seed: SEED, endOnFailure: true },
  );
}, 300_000);
