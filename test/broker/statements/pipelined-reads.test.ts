import { afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { QueuePool } from '../../../lib/pool/queue-pool.ts';
import { eventually, type HttpReply, http } from '../../support/http.ts';
import { errorOf } from '../../support/transactions.ts';
import { useBroker } from '../../support/use-broker.ts';

/** Nothing is slow, and nobody is held up, but where the test has it so. */
const PATIENT = { size: 1, maxOverflow: 0, pipelineFasterThanMs: 2_000, checkoutTimeoutMs: 30_000 };

const { database, broker } = await useBroker({
  databases: {
    default: { pool: PATIENT },
    hasty: { pool: { ...PATIENT, size: 2, pipelineFasterThanMs: 20 } },
    off: { pool: { ...PATIENT, maxPipelined: 1 } },
  },
});

/** Returns `n`, after so many seconds. */
const NAP = 'SELECT ? AS n, SLEEP(?) AS nap';
/** Fails if there are two numbers or more up to `n`. */
const ONE_OF = 'SELECT (SELECT n FROM numbers WHERE n <= ?) AS n';
const UP_TO = 'SELECT n FROM numbers WHERE n <= ? ORDER BY n';
const LOCKABLE = 'SELECT n FROM lockable WHERE n = ?';
const WHERE_AM_I = 'SELECT ? AS n, CONNECTION_ID() AS id';

const poolOf = (alias: string): Pick<QueuePool<never>, 'pause' | 'resume' | 'stats' | 'events'> =>
  broker.broker.pools.get(alias).pool;

interface Ask {
  readonly sql: string;
  readonly params?: readonly unknown[];
  readonly timeoutMs?: number;
  readonly maxRows?: number;
  readonly key?: string;
  readonly signal?: AbortSignal;
}

async function ask(alias: string, { key, signal, ...body }: Ask): Promise<HttpReply> {
  return await http(broker.queryUrl(alias), {
    headers: broker.headers(key),
    body: JSON.stringify(body),
    ...(signal === undefined ? {} : { signal }),
  });
}

/** Has them wait in the queue, in this order, and lets go when all are there. */
async function askTogether(alias: string, asks: readonly Ask[]): Promise<Promise<HttpReply>[]> {
  const pool = poolOf(alias);
  pool.pause();
  const replies: Promise<HttpReply>[] = [];
  for (const one of asks) {
    const reply = ask(alias, one);
    reply.catch(() => undefined);
    replies.push(reply);
    await eventually(
      async () => pool.stats().waiting,
      (waiting) => waiting === replies.length,
    );
  }
  pool.resume();
  return replies;
}

/** Runs a text often enough for it to be known. */
async function teach(alias: string, sql: string, params: readonly unknown[], key?: string): Promise<void> {
  for (let left = 12; left > 0; left -= 1) {
    expect((await ask(alias, { sql, params, ...(key === undefined ? {} : { key }) })).status).toBe(200);
  }
}

const rowsOf = (reply: HttpReply): unknown =>
  reply.status === 200 ? Reflect.get(Object(reply.json()), 'rows') : errorOf(reply);
const numbersOf = (replies: readonly HttpReply[]): unknown =>
  replies.map((reply) => (reply.status === 200 ? Object(rowsOf(reply))[0]?.[0] : errorOf(reply)));

beforeAll(async () => {
  const { admin } = database;
  await admin.query('CREATE TABLE app.numbers (n INT PRIMARY KEY)');
  await admin.query('INSERT INTO app.numbers VALUES (1), (2), (3)');
  await admin.query('CREATE TABLE app.lockable AS SELECT n FROM app.numbers');
  for (const alias of ['default', 'hasty', 'off']) {
    await teach(alias, NAP, ['0', 0]);
    await teach(alias, ONE_OF, [1]);
    await teach(alias, UP_TO, [1]);
    await teach(alias, LOCKABLE, [1]);
    await teach(alias, WHERE_AM_I, ['0']);
  }
});

afterEach(async () => {
  for (const alias of ['default', 'hasty', 'off']) {
    await eventually(
      async () => poolOf(alias).stats(),
      ({ checkedOut, waiting }) => checkedOut + waiting === 0,
    );
    expect((await ask(alias, { sql: NAP, params: ['after', 0] })).status).toBe(200);
  }
});

const naps = (names: string, seconds = 0): Ask[] =>
  [...names].map((n) => ({ sql: NAP, params: [n, seconds] }));

describe('quick reads that wait together', () => {
  test('are sent at once, and each has its own answer', async () => {
    const replies = await askTogether('default', [...naps('a', 1), ...naps('bcde')]);
    await eventually(
      async () => poolOf('default').stats(),
      ({ waiting, checkedOut }) => waiting === 0 && checkedOut === 1,
    );
    expect(numbersOf(await Promise.all(replies))).toEqual(['a', 'b', 'c', 'd', 'e']);
  });

  test('have as queueMs what they waited for those before them, and as durationMs their own time', async () => {
    const replies = await Promise.all(await askTogether('default', [...naps('a', 0.5), ...naps('b')]));
    const [first, second] = replies.map((reply) => Object(reply.json()));
    expect(first.durationMs).toBeGreaterThanOrEqual(499);
    expect(second.durationMs).toBeLessThan(400);
    expect(second.queueMs).toBeGreaterThanOrEqual(499);
  });

  test('are eight at most', async () => {
    const replies = await askTogether('default', [...naps('a', 0.5), ...naps('bcdefghij')]);
    await eventually(
      async () => poolOf('default').stats().waiting,
      (waiting) => waiting < 10,
    );
    expect(poolOf('default').stats().waiting).toBe(2);
    expect(numbersOf(await Promise.all(replies))).toEqual([...'abcdefghij']);
  });

  test('go alone where maxPipelined is 1', async () => {
    const replies = await askTogether('off', [...naps('a', 0.3), ...naps('bc')]);
    await eventually(
      async () => poolOf('off').stats().waiting,
      (waiting) => waiting < 3,
    );
    expect(poolOf('off').stats().waiting).toBe(2);
    expect(numbersOf(await Promise.all(replies))).toEqual(['a', 'b', 'c']);
  });

  test.each([
    ['nothing is known of', { sql: 'SELECT ? AS unknown', params: ['u'] }],
    [
      'does not only read',
      { sql: 'INSERT INTO numbers SELECT 9 + ? FROM numbers WHERE 1 = 0', params: ['0'] },
    ],
  ])('what %s goes alone, and nobody overtakes it', async (_, alone) => {
    const replies = await askTogether('default', [...naps('a', 0.5), alone, ...naps('b')]);
    await eventually(
      async () => poolOf('default').stats().waiting,
      (waiting) => waiting < 3,
    );
    expect(poolOf('default').stats().waiting).toBe(2);
    expect((await Promise.all(replies)).map(({ status }) => status)).toEqual([200, 200, 200]);
  });

  test('run on one connection', async () => {
    const replies = await askTogether(
      'default',
      [...'abc'].map((n) => ({ sql: WHERE_AM_I, params: [n] })),
    );
    expect(new Set((await Promise.all(replies)).map((reply) => Object(rowsOf(reply))[0][1])).size).toBe(1);
  });
});

describe('one that fails in the middle fails alone:', () => {
  test('an error of the server', async () => {
    const replies = await askTogether('default', [
      ...naps('a'),
      { sql: ONE_OF, params: [2] },
      ...naps('b'),
      { sql: ONE_OF, params: [1] },
    ]);
    const all = await Promise.all(replies);
    expect(numbersOf(all)).toEqual(['a', [400, expect.objectContaining({ code: 'SQL_ERROR' })], 'b', 1]);
  });

  test('a result that is too large', async () => {
    const replies = await askTogether('default', [
      { sql: UP_TO, params: [1] },
      { sql: UP_TO, params: [3], maxRows: 2 },
      { sql: UP_TO, params: [3] },
      ...naps('b'),
    ]);
    const [one, tooLarge, three, nap] = await Promise.all(replies);
    expect([one, tooLarge, three].map((reply) => reply && rowsOf(reply))).toEqual([
      [[1]],
      [422, expect.objectContaining({ code: 'RESULT_TOO_LARGE', outcome: 'not_applied' })],
      [[1], [2], [3]],
    ]);
    expect(nap && numbersOf([nap])).toEqual(['b']);
  });

  test('a deadline, in its turn', async () => {
    const replies = await askTogether('default', [
      ...naps('a'),
      { sql: NAP, params: ['late', 20], timeoutMs: 400 },
      ...naps('bc', 0.01),
    ]);
    expect(numbersOf(await Promise.all(replies))).toEqual([
      'a',
      [504, expect.objectContaining({ code: 'DEADLINE_EXCEEDED', outcome: 'not_applied' })],
      'b',
      'c',
    ]);
  });

  test('a deadline, before its turn', async () => {
    const replies = await askTogether('default', [
      ...naps('a', 1),
      { sql: NAP, params: ['late', 0], timeoutMs: 400 },
      ...naps('b'),
    ]);
    const late = await replies[1];
    expect(late === undefined || errorOf(late)).toEqual([
      504,
      expect.objectContaining({ code: 'DEADLINE_EXCEEDED', outcome: 'not_applied' }),
    ]);
    // The one before it still runs: nobody has waited for that.
    expect(poolOf('default').stats().checkedOut).toBe(1);
    expect(
      numbersOf([...(await Promise.all([replies[0], replies[2]]))].flatMap((reply) => reply ?? [])),
    ).toEqual(['a', 'b']);
  });

  test.each([
    ['in its turn', 0, 20],
    ['before its turn', 1, 0],
  ])('a caller that hangs up %s', async (_, firstNap, ownNap) => {
    const hangUp = new AbortController();
    const replies = await askTogether('default', [
      ...naps('a', firstNap),
      { sql: NAP, params: ['gone', ownNap], signal: hangUp.signal },
      ...naps('b', 0.01),
    ]);
    await eventually(
      async () => poolOf('default').stats(),
      ({ waiting, checkedOut }) => waiting === 0 && checkedOut === 1,
    );
    hangUp.abort();
    await expect(replies[1]).rejects.toThrow();
    expect(
      numbersOf([...(await Promise.all([replies[0], replies[2]]))].flatMap((reply) => reply ?? [])),
    ).toEqual(['a', 'b']);
  });

  test.each(['KILL QUERY', 'KILL CONNECTION'])('a %s of an administrator', async (kill) => {
    const replies = await askTogether('default', [
      { sql: 'SELECT ? AS n, SLEEP(?) AS nap', params: ['a', 0] },
      { sql: LOCKABLE, params: [1] },
      ...naps('bc'),
    ]);
    await Promise.all(replies);
    await database.admin.query('LOCK TABLES app.lockable WRITE');
    const stuck = await askTogether('default', [...naps('a'), { sql: LOCKABLE, params: [1] }, ...naps('bc')]);
    const [running] = await eventually(
      async () =>
        await database.admin.query(
          "SELECT id FROM information_schema.processlist WHERE user = 'app' AND info LIKE 'SELECT n FROM lockable%'",
        ),
      (rows) => rows.length === 1,
    );
    await database.admin.query(`${kill} ${String(running?.id)}`);
    const all = await Promise.all(stuck);
    await database.admin.query('UNLOCK TABLES');
    const failure =
      kill === 'KILL QUERY'
        ? [
            400,
            expect.objectContaining({ code: 'SQL_ERROR', mysql: expect.objectContaining({ errno: 1317 }) }),
          ]
        : [502, expect.objectContaining({ code: 'CONNECTION_LOST', outcome: 'not_applied' })];
    expect(numbersOf(all)).toEqual(['a', failure, 'b', 'c']);
  });
});

describe('a lock that stops one', () => {
  test('holds up those behind it for a moment only: they are asked again on another connection', async () => {
    await database.admin.query('LOCK TABLES app.lockable WRITE');
    const [stuck, ...behind] = await askTogether('hasty', [
      { sql: LOCKABLE, params: [1] },
      ...naps('bcdefgh').map((nap) => ({ ...nap })),
    ]);
    expect(numbersOf(await Promise.all(behind))).toEqual([...'bcdefgh']);
    expect(poolOf('hasty').stats().checkedOut).toBe(1);
    await database.admin.query('UNLOCK TABLES');
    expect(numbersOf(await Promise.all([stuck ?? Promise.reject(new Error('none'))]))).toEqual([1]);
  });

  test('keeps the connection no longer than its own call waits, whoever was behind it', async () => {
    await database.admin.query('LOCK TABLES app.lockable WRITE');
    const replies = await askTogether('hasty', [
      { sql: LOCKABLE, params: [1], timeoutMs: 700 },
      { sql: LOCKABLE, params: [2], timeoutMs: 700 },
      { sql: LOCKABLE, params: [3], timeoutMs: 700 },
    ]);
    const all = await Promise.all(replies);
    expect(all.map(({ status }) => status)).toEqual([504, 504, 504]);
    await eventually(
      async () => poolOf('hasty').stats(),
      ({ checkedOut }) => checkedOut === 0,
    );
    expect(numbersOf([await ask('hasty', { sql: NAP, params: ['free', 0] })])).toEqual(['free']);
    await database.admin.query('UNLOCK TABLES');
  });
});

describe('callers with read access', () => {
  const { reader } = broker.keys;

  test('share a session that is READ ONLY', async () => {
    await teach('default', NAP, ['0', 0], reader);
    const replies = await askTogether(
      'default',
      [...naps('a', 0.2), ...naps('bc')].map((nap) => ({ ...nap, key: reader })),
    );
    await eventually(
      async () => poolOf('default').stats().waiting,
      (waiting) => waiting === 0,
    );
    expect(numbersOf(await Promise.all(replies))).toEqual(['a', 'b', 'c']);
    await database.admin.query(
      'CREATE FUNCTION app.writes() RETURNS INT DETERMINISTIC MODIFIES SQL DATA BEGIN INSERT INTO app.numbers VALUES (100); RETURN 1; END',
    );
    await database.admin.query('CREATE VIEW app.sly AS SELECT app.writes() AS n');
    const refusal = [400, expect.objectContaining({ code: 'READ_ONLY_VIOLATION' })];
    const sly = { sql: 'SELECT n FROM sly', key: reader };
    for (let left = 12; left > 0; left -= 1) expect(rowsOf(await ask('default', sly))).toEqual(refusal);
    const tries = await askTogether('default', [sly, { sql: NAP, params: ['a', 0], key: reader }, sly]);
    expect(numbersOf(await Promise.all(tries))).toEqual([refusal, 'a', refusal]);
    expect(await database.admin.query('SELECT n FROM app.numbers WHERE n = 100')).toEqual([]);
  });

  test('share none with those who may write', async () => {
    const replies = await askTogether('default', [
      ...naps('a', 0.3),
      ...naps('b').map((nap) => ({ ...nap, key: reader })),
      ...naps('c'),
    ]);
    await eventually(
      async () => poolOf('default').stats().waiting,
      (waiting) => waiting < 3,
    );
    // Of the two callers each has its turn.
    expect(poolOf('default').stats().waiting).toBe(2);
    expect(numbersOf(await Promise.all(replies))).toEqual(['a', 'b', 'c']);
  });
});
