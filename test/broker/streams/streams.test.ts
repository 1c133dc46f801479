import { beforeAll, describe, expect, test } from 'vitest';
import { everyTypeStatements } from '../../../infra/local/database/every-type.ts';
import { eventually, http } from '../../support/http.ts';
import { createNumbers } from '../../support/numbers.ts';
import { runningStatements, untilNoneRuns } from '../../support/running-statements.ts';
import { type OpenStream, openStream, rowsOf } from '../../support/stream.ts';
import { useBroker } from '../../support/use-broker.ts';
import { literal } from '../support/dialect.ts';

const { database, broker } = await useBroker({
  databases: {
    default: { limits: { maxRows: 10, maxResultBytes: 10_000, maxStreams: 2 } },
    one: { pool: { size: 1, maxOverflow: 0 } },
    brief: { limits: { queryTimeoutMs: 1_000 } },
    hasty: { limits: { streamStallMs: 500 } },
  },
});

async function stream(body: object, alias = 'default', headers = {}): Promise<OpenStream> {
  return await openStream(broker.queryUrl(alias), { ...broker.headers(), ...headers }, body);
}

async function linesOf(body: object, alias?: string) {
  return await (await stream(body, alias)).rest();
}

/** The reply to a stream that does not come about. */
async function refused(body: object, headers = {}): Promise<unknown[]> {
  const reply = await http(broker.queryUrl(), {
    headers: { ...broker.headers(), accept: 'application/x-ndjson', ...headers },
    body: JSON.stringify(body),
  });
  return [reply.status, reply.headers['content-type'], reply.json()];
}

const JSON_TYPE = 'application/json; charset=utf-8';

/** Rows of 1 KB, endless for any test; the server sends them in groups of 16. */
const LARGE = "SELECT a.seq, REPEAT('x', 1000) FROM numbers a, numbers b";

const isMysql = database.server.flavour === 'mysql';

/** What a stream changes of its session, as the next borrower of its connection sees it. */
async function sessionOfNext(): Promise<unknown> {
  const limit = isMysql ? 'max_execution_time / 1000' : 'max_statement_time';
  const sql = `SELECT @@${limit} + 0e0 AS seconds, @@net_write_timeout + 0e0`;
  const reply = await broker.post('/v1/databases/one/query', { sql });
  return (reply.json() as { rows: unknown }).rows;
}

beforeAll(async () => {
  await createNumbers(database);
  for (const sql of everyTypeStatements('app', database.server)) {
    await database.admin.query(sql);
  }
  await database.admin.query('CREATE TABLE app.padded (n INT ZEROFILL, y YEAR, minus DOUBLE, tiny DOUBLE)');
  await database.admin.query(
    "INSERT INTO app.padded VALUES (42, '0000', -0e0, -1.5e-300), (0, 2024, 1e20, 0)",
  );
  await database.admin.query(
    'CREATE PROCEDURE app.three_sets() BEGIN SELECT 1 AS a; SELECT 2 AS b, 3 AS c FROM DUAL WHERE FALSE; SELECT 4 AS d; END',
  );
});

describe('a stream', () => {
  test.each(['SELECT * FROM every_type', 'SELECT * FROM padded'])(
    'of %s has the columns and values of the plain reply',
    async (sql) => {
      const plain = await broker.post('/v1/databases/one/query', { sql });
      const { columns, rows } = plain.json() as { columns: unknown; rows: unknown[][] };
      const lines = await linesOf({ sql });
      expect(lines[0]).toEqual({ columns });
      expect(rowsOf(lines)).toEqual(rows);
      expect(lines.at(-1)).toEqual({
        end: {
          affectedRows: 0,
          changedRows: 0,
          insertId: null,
          warnings: 0,
          rowCount: rows.length,
          durationMs: expect.any(Number),
          queueMs: expect.any(Number),
        },
      });
    },
  );

  test('is named as what it is, with the id of its request', async () => {
    const { response, rest } = await stream({ sql: 'SELECT 1' }, 'default', { 'x-request-id': 'mine' });
    expect(response.headers).toMatchObject({
      'content-type': 'application/x-ndjson; charset=utf-8',
      'x-request-id': 'mine',
    });
    await rest();
  });

  test('of a statement without rows has no columns', async () => {
    await database.admin.query('CREATE TABLE app.written (id INT AUTO_INCREMENT PRIMARY KEY, n INT)');
    expect(await linesOf({ sql: 'INSERT INTO written (n) VALUES (?), (?)', params: [1, 2] })).toMatchObject([
      { columns: [] },
      { end: { affectedRows: 2, insertId: '1', rowCount: 0 } },
    ]);
  });

  test('of a query that finds nothing has its columns', async () => {
    expect(await linesOf({ sql: 'SELECT 1 AS one FROM DUAL WHERE FALSE' })).toMatchObject([
      { columns: [{ name: 'one' }] },
      { end: { rowCount: 0 } },
    ]);
  });

  test('of a procedure that selects several times begins each set with its columns', async () => {
    expect(await linesOf({ sql: 'CALL three_sets()' })).toMatchObject([
      { columns: [{ name: 'a' }] },
      { rows: [[literal(database.server, 1)]] },
      { columns: [{ name: 'b' }, { name: 'c' }] },
      { columns: [{ name: 'd' }] },
      { rows: [[literal(database.server, 4)]] },
      { end: { rowCount: 2 } },
    ]);
  });

  test('may be larger than any other reply', async () => {
    const lines = await linesOf({ sql: 'SELECT seq FROM numbers' });
    expect(rowsOf(lines).length).toBe(100_000);
    expect(lines.length).toBeGreaterThan(10);
  });

  test('ends at the rows that its request allows', async () => {
    const lines = await linesOf({ sql: 'SELECT seq FROM numbers', maxRows: 50 });
    expect(rowsOf(lines).length).toBe(50);
    expect(lines.at(-1)).toMatchObject({
      error: { code: 'RESULT_TOO_LARGE', limit: { name: 'maxRows', max: 50, actual: 51 } },
    });
  });

  test('of a statement that fails in the middle ends with its error', async () => {
    const sql = 'SELECT seq + 9223372036854725808 FROM numbers';
    const lines = await linesOf({ sql });
    expect(rowsOf(lines).length).toBe(49_999);
    expect(lines.at(-1)).toMatchObject({
      error: {
        code: 'SQL_ERROR',
        outcome: 'not_applied',
        requestId: expect.any(String),
        mysql: { errno: 1690 },
      },
    });
    expect(broker.logs.at(-1)).toMatch(/"status":200,.*"code":"SQL_ERROR"/);
  });

  test('may be asked for by a reader, who still cannot write', async () => {
    const headers = { authorization: `Bearer ${broker.keys.reader}` };
    expect(rowsOf(await (await stream({ sql: 'SELECT 7' }, 'default', headers)).rest())).toEqual([
      [literal(database.server, 7)],
    ]);
    expect(await refused({ sql: 'DELETE FROM written' }, headers)).toMatchObject([
      400,
      JSON_TYPE,
      { error: { code: 'READ_ONLY_VIOLATION' } },
    ]);
  });
});

describe('what fails before the first row is a plain reply:', () => {
  test('a statement that MySQL refuses', async () => {
    expect(await refused({ sql: 'SELECT * FROM missing' })).toMatchObject([
      400,
      JSON_TYPE,
      { error: { code: 'SQL_ERROR' } },
    ]);
  });

  test('a first row that does not come before the deadline', async () => {
    expect(await refused({ sql: 'SELECT SLEEP(60)', timeoutMs: 100 })).toMatchObject([
      504,
      JSON_TYPE,
      { error: { code: 'DEADLINE_EXCEEDED', outcome: 'not_applied' } },
    ]);
  });

  test('a stream that ought to be idempotent', async () => {
    expect(await refused({ sql: 'SELECT 1' }, { 'idempotency-key': 'k' })).toMatchObject([
      400,
      JSON_TYPE,
      { error: { code: 'INVALID_REQUEST', message: expect.stringContaining('idempotent') } },
    ]);
  });

  test('one stream more than are allowed', async () => {
    const open = [
      await stream({ sql: LARGE }),
      await stream({ sql: LARGE }, 'default', broker.headers(broker.keys.reader)),
    ];
    expect((await http(`${broker.url}/metrics`)).text).toContain('broker_streams_open{database="default"} 2');
    expect(await refused({ sql: 'SELECT 1' })).toMatchObject([
      429,
      JSON_TYPE,
      {
        error: {
          code: 'TOO_MANY_STREAMS',
          retryable: true,
          limit: { name: 'maxStreams', max: 2, actual: 3 },
        },
      },
    ]);
    for (const { hangUp } of open) hangUp();
    await eventually(
      async () => (await http(`${broker.url}/metrics`)).text,
      (text) => text.includes('broker_streams_open{database="default"} 0'),
    );
    expect(rowsOf(await linesOf({ sql: 'SELECT 1' }))).toEqual([[literal(database.server, 1)]]);
  });
});

describe('a stream under way', () => {
  const slowRows = "SELECT seq, IF(seq > 40, SLEEP(60), 0), REPEAT('x', 1000) FROM numbers";

  test('has its first rows while the statement runs on, and stops it when its caller hangs up', async () => {
    const open = await stream({ sql: slowRows }, 'one');
    await open.next();
    expect(await open.next()).toMatchObject({
      rows: expect.arrayContaining([['1', expect.anything(), 'x'.repeat(1000)]]),
    });
    expect(await runningStatements(database, 'SELECT seq, IF%')).toHaveLength(1);
    open.hangUp();
    await untilNoneRuns(database, 'SELECT seq, IF%');
    expect(await sessionOfNext()).toEqual([[30, 60]]);
  });

  test('whose caller hangs up with much of it unread leaves the connection clean or gone', async () => {
    const open = await stream({ sql: LARGE }, 'one');
    await open.next();
    open.response.pause();
    await new Promise((resolve) => setTimeout(resolve, 300));
    open.hangUp();
    await untilNoneRuns(database, 'SELECT a.seq, REPEAT%');
    expect(await sessionOfNext()).toEqual([[30, 60]]);
  });

  test('[76] whose connection is lost ends with that', async () => {
    const open = await stream({ sql: LARGE }, 'one');
    await open.next();
    const [thread] = await runningStatements(database, 'SELECT a.seq, REPEAT%');
    await database.admin.query(`KILL ${thread}`);
    expect((await open.rest()).at(-1)).toMatchObject({
      error: { code: 'CONNECTION_LOST', outcome: 'not_applied', retryable: true },
    });
  });

  test('that is taken slowly outlives the time of a statement', async () => {
    const open = await stream({ sql: LARGE, maxRows: 80_000 }, 'brief');
    let lines = 0;
    const sinceMs = performance.now();
    let last = await open.next();
    for (let line = last; line !== undefined; line = await open.next()) {
      last = line;
      lines += 1;
      if (performance.now() - sinceMs < 2_500) await new Promise((resolve) => setTimeout(resolve, 20));
    }
    expect(performance.now() - sinceMs).toBeGreaterThan(2_500);
    expect(lines).toBeGreaterThan(100);
    expect(last).toMatchObject({ error: { code: 'RESULT_TOO_LARGE', limit: { actual: 80_001 } } });
  });

  test('that nobody takes is cut off without a last line, and its statement stopped', async () => {
    const open = await stream({ sql: LARGE }, 'hasty');
    await open.next();
    open.response.pause();
    await untilNoneRuns(database, 'SELECT a.seq, REPEAT%');
    open.response.resume();
    await expect(open.rest()).rejects.toThrow();
    expect(broker.logs.at(-1)).toMatch(/"status":499,.*"code":"CALLER_GONE"/);
  });

  test('whose statement falls silent ends with that', async () => {
    const lines = await linesOf({ sql: slowRows }, 'hasty');
    expect(rowsOf(lines).length).toBeGreaterThan(10);
    expect(lines.at(-1)).toMatchObject({ error: { code: 'DEADLINE_EXCEEDED', outcome: 'not_applied' } });
  });
});
