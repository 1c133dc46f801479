import { beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { eventually, type HttpReply, http } from '../../support/http.ts';
import { untilRunning } from '../../support/running-statements.ts';
import { useBroker } from '../../support/use-broker.ts';
import { closeGate, createOrders, failGatedInsert, GATED_INSERT, openGate } from '../support/gate.ts';

const { database, broker } = await useBroker({
  databases: {
    default: { idempotency: {} },
    forgetful: { idempotency: { table: 'short_lived', keepMs: 300 } },
    odd: { idempotency: { table: 'odd_$' }, session: { sqlMode: 'ANSI_QUOTES,NO_BACKSLASH_ESCAPES' } },
    ansi: { idempotency: { table: 'select' }, session: { sqlMode: 'ANSI,TRADITIONAL' } },
    counted: { idempotency: {} },
    plain: {},
  },
});

beforeAll(async () => {
  await createOrders(database);
});

beforeEach(async () => {
  await database.admin.query('DELETE FROM app.orders');
});

interface Send {
  readonly alias?: string;
  readonly route?: string;
  readonly caller?: string;
  readonly headers?: Record<string, string>;
}

let lastKey = 0;
const newKey = (): string => {
  lastKey += 1;
  return `key-${lastKey}`;
};

async function send(key: string, body: unknown, more: Send = {}): Promise<HttpReply> {
  const { alias = 'default', route = 'query', caller, headers } = more;
  return await http(`${broker.url}/v1/databases/${alias}/${route}`, {
    headers: { ...broker.headers(caller), 'idempotency-key': key, ...headers },
    body: JSON.stringify(body),
  });
}

const insert = (note: string, more: object = {}) => ({
  sql: 'INSERT INTO orders (note) VALUES (?)',
  params: [note],
  ...more,
});

const isReplay = ({ headers }: HttpReply): boolean => headers['idempotent-replay'] === 'true';
const errorOf = (reply: HttpReply) => [reply.status, (reply.json() as { error: object }).error];

async function notes(): Promise<unknown[]> {
  return (await database.admin.query('SELECT note FROM app.orders ORDER BY id')).map(({ note }) => note);
}

async function keys(table = 'broker_idempotency'): Promise<unknown[]> {
  const rows = await database.admin.query(`SELECT idempotency_key FROM app.\`${table}\``);
  return rows.map((row) => row.idempotency_key);
}

describe('a request that is sent again with its key', () => {
  test('is done once, and answered as the first time', async () => {
    const key = newKey();
    const first = await send(key, insert("it's \\ new"));
    const second = await send(key, insert("it's \\ new"));
    expect([first.status, isReplay(first), second.status, isReplay(second)]).toEqual([200, false, 200, true]);
    expect(first.json()).toMatchObject({ affectedRows: 1, insertId: expect.stringMatching(/^\d+$/) });
    expect(second.text).toBe(first.text);
    expect(await notes()).toEqual(["it's \\ new"]);
  });

  test('is the same whatever time it has and however its fields are ordered', async () => {
    const key = newKey();
    const sql = 'INSERT INTO orders (note) VALUES (CONCAT(:one, :timeoutMs))';
    await send(key, { sql, params: { one: 1, timeoutMs: 2 }, timeoutMs: 9_000 });
    expect(isReplay(await send(key, { params: { timeoutMs: 2, one: 1 }, sql }))).toBe(true);
    expect(errorOf(await send(key, { sql, params: { one: 1, timeoutMs: 3 } }))).toMatchObject([
      422,
      { code: 'IDEMPOTENCY_MISMATCH', outcome: 'not_applied', retryable: false },
    ]);
    expect(await notes()).toEqual(['12']);
  });

  test.each([
    ['a statement', insert('b'), {}],
    ['a batch', { sql: 'INSERT INTO orders (note) VALUES (?)', paramSets: [['a']] }, { route: 'batch' }],
    ['a transaction', { statements: [insert('a')] }, { route: 'transaction' }],
    ['a bound', insert('a', { maxRows: 1 }), {}],
  ])('is refused when %s differs', async (_, other, more) => {
    const key = newKey();
    await send(key, insert('a'));
    expect(errorOf(await send(key, other, more))).toMatchObject([422, { code: 'IDEMPOTENCY_MISMATCH' }]);
    expect(await notes()).toEqual(['a']);
  });

  test('is another one when another caller sends it', async () => {
    const key = newKey();
    await send(key, insert('a'));
    expect(isReplay(await send(key, insert('a'), { caller: broker.keys.admin }))).toBe(false);
    expect(await notes()).toEqual(['a', 'a']);
  });

  test('is done if it failed the first time, for nothing is left of that', async () => {
    const key = newKey();
    const body = { sql: 'INSERT INTO orders (id, note) VALUES (7, 1)' };
    await database.admin.query("INSERT INTO app.orders VALUES (7, 'in the way')");
    const failed = errorOf(await send(key, body));
    expect(failed).toMatchObject([409, { code: 'DUPLICATE_KEY', outcome: 'not_applied' }]);
    expect(failed[1]).not.toHaveProperty('transaction');
    expect(await keys()).not.toContain(key);
    await database.admin.query('DELETE FROM app.orders');
    const again = await send(key, body);
    expect([again.status, isReplay(again)]).toEqual([200, false]);
  });

  test('is done if its first answer was too large to be given', async () => {
    const key = newKey();
    const body = { sql: 'SELECT 1 UNION ALL SELECT 2', maxRows: 1 };
    expect(errorOf(await send(key, body))).toMatchObject([422, { code: 'RESULT_TOO_LARGE' }]);
    expect(await keys()).not.toContain(key);
  });

  test('as a batch or a transaction is done once too', async () => {
    const sent = [
      ['batch', { sql: 'INSERT INTO orders (note) VALUES (?)', paramSets: [['b1'], ['b2']] }],
      ['transaction', { statements: [insert('t1'), insert('t2')], isolation: 'serializable' }],
    ] as const;
    for (const [route, body] of sent) {
      const key = newKey();
      const replies = [await send(key, body, { route }), await send(key, body, { route })];
      expect(replies.map(({ status }) => status)).toEqual([200, 200]);
      expect(replies.map(isReplay)).toEqual([false, true]);
      expect(replies[1]?.text).toBe(replies[0]?.text);
    }
    expect(await notes()).toEqual(['b1', 'b2', 't1', 't2']);
  });

  test('is answered with rows and all up to 64 KB, and beyond that says that they are left out', async () => {
    const [short, long] = [newKey(), newKey()];
    // A variable's value is not known to write nothing.
    const sql = 'SELECT ? AS text FROM DUAL WHERE @@port > 0';
    const body = (length: number) => ({ sql, params: ['é'.repeat(length)] });
    await send(short, body(30_000));
    expect((await send(short, body(30_000))).json()).toMatchObject({ rows: [['é'.repeat(30_000)]] });
    const whole = await send(long, body(40_000));
    expect(whole.json()).toMatchObject({ columns: [{ name: 'text' }], rows: [['é'.repeat(40_000)]] });
    expect(whole.json()).not.toHaveProperty('rowsOmitted');
    const kept = await send(long, body(40_000));
    expect([kept.status, isReplay(kept)]).toEqual([200, true]);
    expect(kept.json()).toMatchObject({ columns: [], rows: [], rowsOmitted: true, affectedRows: 0 });
  });

  test('is done once under any sql_mode', async () => {
    for (const alias of ['odd', 'ansi']) {
      const key = newKey();
      const replies = [await send(key, insert("\\'"), { alias }), await send(key, insert("\\'"), { alias })];
      expect(replies.map(({ status }) => status)).toEqual([200, 200]);
      expect(replies.map(isReplay)).toEqual([false, true]);
    }
    expect(await notes()).toEqual(["\\'", "\\'"]);
    expect(await keys('odd_$')).toHaveLength(1);
  });

  test('is counted', async () => {
    const key = newKey();
    for (let turn = 0; turn < 3; turn += 1) await send(key, insert('x'), { alias: 'counted' });
    const { text } = await http(`${broker.url}/metrics`);
    expect(text).toContain('broker_idempotent_replays_total{database="counted"} 2\n');
  });
});

describe('keys that expire', () => {
  const alias = 'forgetful';

  test('are no longer known after keepMs', async () => {
    const key = newKey();
    await send(key, insert('a'), { alias });
    const later = await eventually(
      async () => await send(key, insert('a'), { alias }),
      (reply) => !isReplay(reply),
    );
    expect(later.status).toBe(200);
    expect(await notes()).toEqual(['a', 'a']);
  });
});

describe('while a request with the same key still runs, another one', () => {
  test('waits for it and gets its answer, without a connection of its own', async () => {
    const key = newKey();
    await closeGate(database);
    const first = send(key, GATED_INSERT);
    await untilRunning(database, `${GATED_INSERT.sql}%`);
    const others = Array.from({ length: 5 }, async () => await send(key, GATED_INSERT));
    // Those behind them have been seen too, then.
    await send(newKey(), { sql: 'SELECT 1' });
    expect(broker.broker.pools.get('default').pool.stats().checkedOut).toBe(1);
    await openGate(database);
    const replies = await Promise.all([first, ...others]);
    expect(replies.map(isReplay)).toEqual([false, true, true, true, true, true]);
    expect(await notes()).toEqual(['through the gate']);
  });

  test('hears that it is in progress when its time is up', async () => {
    const key = newKey();
    await closeGate(database);
    const first = send(key, GATED_INSERT);
    await untilRunning(database, `${GATED_INSERT.sql}%`);
    expect(errorOf(await send(key, { ...GATED_INSERT, timeoutMs: 200 }))).toMatchObject([
      409,
      { code: 'IDEMPOTENCY_IN_PROGRESS', retryable: true, outcome: 'not_applied' },
    ]);
    await openGate(database);
    expect((await first).status).toBe(200);
  });

  test('runs itself if the first one fails', async () => {
    const key = newKey();
    await closeGate(database);
    const first = send(key, GATED_INSERT);
    await untilRunning(database, `${GATED_INSERT.sql}%`);
    const second = send(key, GATED_INSERT);
    await failGatedInsert(database);
    expect((await first).status).toBe(400);
    await openGate(database);
    const reply = await second;
    expect([reply.status, isReplay(reply)]).toEqual([200, false]);
    expect(await notes()).toEqual(['through the gate']);
  });
});

describe('a key is refused', () => {
  test.each(['', 'a b', 'ä', 'x'.repeat(129)])('when it is %j', async (key) => {
    expect(errorOf(await send(encodeURI(key), insert('a')))).toMatchObject([
      400,
      { code: 'INVALID_REQUEST' },
    ]);
    expect(await notes()).toEqual([]);
  });

  test('from a caller that may only read, for what could write all the same', async () => {
    for (const sql of ['CALL p()', 'DROP TABLE orders']) {
      expect(errorOf(await send(newKey(), { sql }, { caller: broker.keys.reader }))).toMatchObject([
        403,
        { code: 'FORBIDDEN' },
      ]);
    }
  });

  test('by a database that keeps none', async () => {
    expect(errorOf(await send(newKey(), insert('a'), { alias: 'plain' }))).toMatchObject([
      400,
      { code: 'INVALID_REQUEST', message: expect.stringContaining('database "plain" has no such setting') },
    ]);
    expect(await notes()).toEqual([]);
  });

  test('for a stream', async () => {
    const reply = await send(newKey(), insert('a'), { headers: { accept: 'application/x-ndjson' } });
    expect(errorOf(reply)).toMatchObject([400, { code: 'INVALID_REQUEST' }]);
    expect(await notes()).toEqual([]);
  });

  test('for what may not write', async () => {
    const body = { statements: [{ sql: 'CALL p()' }], readOnly: true };
    expect(errorOf(await send(newKey(), body, { route: 'transaction' }))).toMatchObject([
      400,
      { code: 'INVALID_REQUEST' },
    ]);
  });

  test('for an interactive transaction and its statements', async () => {
    expect(errorOf(await send(newKey(), {}, { route: 'transactions' }))).toMatchObject([
      400,
      { code: 'INVALID_REQUEST' },
    ]);
    const begun = (await broker.post('/v1/databases/default/transactions', {})).json();
    const { transactionId } = begun as { transactionId: string };
    const reply = await http(`${broker.url}/v1/transactions/${transactionId}/query`, {
      headers: { ...broker.headers(), 'idempotency-key': newKey() },
      body: JSON.stringify(insert('a')),
    });
    expect(errorOf(reply)).toMatchObject([400, { code: 'INVALID_REQUEST', transaction: 'open' }]);
    await broker.post(`/v1/transactions/${transactionId}/rollback`, {});
  });

  test.each([
    'CREATE TABLE made (id INT)',
    'TRUNCATE TABLE orders',
    'CALL adds()',
    'INSERT INTO orders (note) /*! VALUES (1) */',
    'ANALYZE TABLE orders',
    'SET @a = 1',
  ])('for %s', async (sql) => {
    expect(errorOf(await send(newKey(), { sql }))).toMatchObject([400, { code: 'STATEMENT_NOT_ALLOWED' }]);
    expect(
      errorOf(await send(newKey(), { statements: [{ sql: 'CALL adds()' }] }, { route: 'transaction' })),
    ).toMatchObject([400, { code: 'STATEMENT_NOT_ALLOWED' }]);
    expect(await notes()).toEqual([]);
  });

  test('to statements that remove it, which are rolled back', async () => {
    const body = { statements: [insert('a'), { sql: 'DELETE FROM broker_idempotency' }] };
    const reply = await send(newKey(), body, { route: 'transaction' });
    expect(errorOf(reply)).toMatchObject([400, { code: 'STATEMENT_NOT_ALLOWED' }]);
    expect(await notes()).toEqual([]);
  });
});

test('/openapi.json names the header where it may stand, and what marks a replay', async () => {
  const document = (await http(`${broker.url}/openapi.json`)).json() as { paths: Record<string, object> };
  const taking = Object.entries(document.paths).filter(([, path]) => {
    const text = JSON.stringify(path);
    return text.includes('"idempotency-key"') && text.includes('"idempotent-replay"');
  });
  const calls = ['query', 'batch', 'transaction'];
  expect(taking.map(([path]) => path)).toEqual(calls.map((call) => `/v1/databases/{alias}/${call}`));
});

describe('a key is passed over', () => {
  const reads = [
    'SELECT 1',
    '/* app */ SELECT 1',
    '-- app\nSELECT 1',
    '(SELECT 1)',
    '((SELECT 1) UNION (SELECT 2))',
    'WITH a AS (SELECT 1 AS n) SELECT n FROM a',
    'SHOW TABLES',
    '/* app */ SHOW CREATE TABLE orders',
    'DESCRIBE orders',
    'EXPLAIN SELECT * FROM orders',
  ];
  const keysKept = async () =>
    Number((await database.admin.query(`SELECT COUNT(*) AS n FROM app.${KEPT}`))[0]?.n);
  const KEPT = 'broker_idempotency';
  beforeAll(async () => {
    await send(newKey(), insert('a'));
  });

  test.each(reads)('for what only reads, of a caller of any access: %s', async (sql) => {
    const before = await keysKept();
    for (const caller of [broker.keys.reader, broker.keys.writer]) {
      const reply = await send(newKey(), { sql }, { caller });
      expect([reply.status, isReplay(reply)]).toEqual([200, false]);
    }
    expect((await send(newKey(), { sql }, { alias: 'plain' })).status).toBe(200);
    expect(await keysKept()).toBe(before);
  });

  test('for a transaction of such, and for one that is to be read only', async () => {
    const before = await keysKept();
    const some = { statements: [{ sql: '/* app */ SELECT 1' }, { sql: 'SHOW TABLES' }] };
    for (const body of [some, { statements: [{ sql: 'SELECT note FROM orders' }], readOnly: true }]) {
      for (const caller of [broker.keys.reader, broker.keys.writer]) {
        expect((await send(newKey(), body, { route: 'transaction', caller })).status).toBe(200);
      }
    }
    expect(await keysKept()).toBe(before);
  });

  test.each([
    'SELECT noting()',
    'SHOW TABLES WHERE noting() = 1',
    'WITH a AS (SELECT 1 AS n) UPDATE orders JOIN a SET note = n',
  ])('never for what may write: %s', async (sql) => {
    await database.admin.query('DROP FUNCTION IF EXISTS app.noting');
    await database.admin.query('CREATE FUNCTION app.noting() RETURNS INT READS SQL DATA RETURN 1');
    const before = await keysKept();
    const key = newKey();
    const first = await send(key, { sql });
    if (first.status !== 200) return;
    expect(isReplay(await send(key, { sql }))).toBe(true);
    expect(await keysKept()).toBe(before + 1);
  });
});
