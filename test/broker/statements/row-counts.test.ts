import { beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { useBroker } from '../../support/use-broker.ts';

const { database, broker } = await useBroker({ databases: { default: { pool: { size: 1 } } } });
const isMariadb = database.server.flavour === 'mariadb';

beforeAll(async () => {
  await database.admin.query('CREATE TABLE app.counted (id INT PRIMARY KEY AUTO_INCREMENT, v INT)');
  await database.admin.query(
    'CREATE PROCEDURE app.touch() SQL SECURITY INVOKER BEGIN UPDATE counted SET v = v + 1; SELECT 1; END',
  );
});

beforeEach(async () => {
  await database.admin.query('TRUNCATE app.counted');
  await database.admin.query('INSERT INTO app.counted (v) VALUES (1), (2), (2)');
});

async function transaction(...statements: object[]): Promise<unknown> {
  const reply = await broker.post('/v1/databases/default/transaction', { statements });
  return { status: reply.status, ...(reply.json() as object) };
}

const RETURNING = [
  'INSERT INTO counted (v) VALUES (7), (8) RETURNING id',
  'insert into counted (v) select v + 10 from counted returning id, (v)',
  'INSERT INTO counted (id, v) VALUES (1, 5) ON DUPLICATE KEY UPDATE v = 9 RETURNING v',
  'REPLACE INTO counted (id, v) VALUES (1, 5) RETURNING v',
  'DELETE FROM counted WHERE v = 2 RETURNING id',
  'INSERT INTO counted (v) VALUES (7) /*!100500 RETURNING id */',
  'DELETE FROM counted RETURNING -1',
];

describe.runIf(isMariadb)('rows that are written and returned', () => {
  test.each(RETURNING)('are not counted by the server, and so not by the broker: %s', async (sql) => {
    const result = await broker.query(sql);
    expect(result.rows.length).toBeGreaterThan(0);
    expect(result).toMatchObject({ affectedRows: null, changedRows: null });
  });

  test('are counted where a WHERE finds none, likewise', async () => {
    const result = await broker.query('DELETE FROM counted WHERE v = 99 RETURNING id');
    expect(result).toMatchObject({ rows: [], affectedRows: null });
  });
});

test.each([...RETURNING, 'CALL touch()'])(
  'an expectation that cannot be checked is refused before anything runs: %s',
  async (sql) => {
    expect(
      await transaction({ sql: 'DELETE FROM counted' }, { sql, expect: { affectedRows: 1 } }),
    ).toMatchObject({
      status: 400,
      error: {
        code: 'INVALID_REQUEST',
        outcome: 'not_applied',
        message: expect.stringContaining('expect.affectedRows cannot be checked'),
        details: { index: 1 },
      },
    });
    expect((await broker.query('SELECT COUNT(*) FROM counted')).rows).toEqual([['3']]);
  },
);

test.each([
  ['UPDATE counted SET v = 2', 3, 1],
  ['UPDATE counted SET v = 5 WHERE id = 99', 0, 0],
  ['UPDATE counted a JOIN counted b ON a.id = b.id SET a.v = 2', 3, 1],
  ['INSERT INTO counted (v) VALUES (1), (2)', 2, 0],
  ['INSERT INTO counted (v) SELECT v FROM counted', 3, 0],
  ['DELETE FROM counted WHERE v = 2', 2, 0],
  ['SELECT * FROM counted', 0, 0],
  ["SELECT 'returning' AS `returning` FROM counted FOR UPDATE", 0, 0],
  ['SHOW TABLES', 0, 0],
])('%s affects %i rows and changes %i', async (sql, affectedRows, changedRows) => {
  expect(await transaction({ sql, expect: { affectedRows } })).toMatchObject({
    results: [{ affectedRows, changedRows }],
  });
});

test('a column that has the name of a keyword takes no expectation away', async () => {
  const name = isMariadb ? '`returning`' : 'returning';
  await database.admin.query(`CREATE TABLE app.keyword (${name} INT, v INT)`);
  await broker.query(`INSERT INTO keyword (${name}, v) VALUES (1, 1)`);
  const sql = `UPDATE keyword SET ${name} = 5 WHERE ${name} = 1`;
  expect(await transaction({ sql, expect: { affectedRows: 1 } })).toMatchObject({
    results: [{ affectedRows: 1, changedRows: 1 }],
  });
});

const LANGUAGES = ['fr_FR', 'de_DE', 'ja_JP', 'ru_RU', 'pt_BR', 'en_US'];

test.each(LANGUAGES)('changed rows are told in whatever language the server speaks: %s', async (language) => {
  // A server that lacks a language keeps its own.
  const results = await transaction(
    { sql: `SET SESSION lc_messages = '${language}'` },
    { sql: 'UPDATE counted SET v = 2' },
  );
  expect(results).toMatchObject({ results: [{}, { affectedRows: 3, changedRows: 1 }] });
});

test.each([
  ['of a read', "SELECT CAST('x' AS SIGNED), 1 / 0", 1],
  ['of a read without any', 'SELECT 1', 0],
  ['of many rows', "SELECT CAST('x' AS SIGNED) FROM counted", 3],
])('the number of warnings %s is told behind its rows', async (_, sql, least) => {
  const { warnings } = await broker.query(sql);
  if (least === 0) expect(warnings).toBe(0);
  else expect(warnings).toBeGreaterThanOrEqual(least);
});

test('a stream tells of its warnings too', async () => {
  const reply = await fetch(broker.queryUrl(), {
    method: 'POST',
    headers: { ...broker.headers(), accept: 'application/x-ndjson' },
    body: JSON.stringify({ sql: "SELECT CAST('x' AS SIGNED)" }),
  });
  const lines = (await reply.text()).trim().split('\n');
  expect(JSON.parse(lines.at(-1) ?? '')).toMatchObject({ end: { warnings: 1, affectedRows: 0 } });
});
