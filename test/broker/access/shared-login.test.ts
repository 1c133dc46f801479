import { expect, test } from 'vitest';
import { eventually, http } from '../../support/http.ts';
import { useBroker } from '../../support/use-broker.ts';

/** What lib/mysql/README.md says of callers that share a login, and of what does not help against it. */
const ONE = { pool: { size: 1, maxOverflow: 0 } };
const { database, broker } = await useBroker({
  databases: {
    default: { ...ONE, idempotency: {} },
    second: { ...ONE, database: 'second' },
    reset: { pool: { ...ONE.pool, resetOnCheckin: 'always' } },
  },
});
const { admin, app } = database;
await admin.createDatabase('second');
await admin.query(`GRANT ALL PRIVILEGES ON second.* TO ?@'%'`, [app.user]);

const rowsOf = async (alias: string, sql: string, key: string = broker.keys.writer) => {
  const reply = await broker.post(`/v1/databases/${alias}/query`, { sql }, key);
  expect(reply.status, reply.text).toBe(200);
  return (reply.json() as { rows: unknown[][] }).rows;
};

test('aliases on one login are no border: each reaches every schema that the login does', async () => {
  await admin.query('CREATE TABLE app.secrets AS SELECT 42 AS answer');
  await eventually(
    async () => (await broker.post('/v1/databases/second/query', { sql: 'SELECT 1' })).status,
    (status) => status === 200,
  );
  expect(await rowsOf('second', 'SELECT answer FROM app.secrets')).toEqual([[42]]);
});

test("the list of processes shows other callers' statements on the same login, values included", async () => {
  const slow = broker.post('/v1/databases/reset/query', {
    sql: 'SELECT SLEEP(3), ? AS value',
    params: ["somebody else's"],
  });
  const shown = await eventually(
    async () => JSON.stringify(await rowsOf('default', 'SHOW FULL PROCESSLIST', broker.keys.reader)),
    (text) => text.includes('SLEEP(3)'),
  );
  expect(shown).toContain('somebody else');
  await slow;
});

test('a caller that may write may write rows of the idempotency table, for any caller', async () => {
  await admin.query('CREATE TABLE app.notes (id INT PRIMARY KEY AUTO_INCREMENT, note VARCHAR(20))');
  const headers = { ...broker.headers(), 'idempotency-key': 'first' };
  const body = JSON.stringify({ sql: "INSERT INTO notes (note) VALUES ('a')" });
  const ask = async () => await http(broker.queryUrl(), { headers, body });
  expect((await ask()).status).toBe(200);

  await rowsOf('default', `UPDATE broker_idempotency SET answer = REPLACE(answer, '"1"', '"666"')`);

  const replay = await ask();
  expect([replay.headers['idempotent-replay'], replay.json()]).toMatchObject(['true', { insertId: '666' }]);
});

test('a trigger sees the LAST_INSERT_ID of the plain INSERT before its own, unless each use is reset', async () => {
  await admin.query('CREATE TABLE app.own (id INT PRIMARY KEY AUTO_INCREMENT) AUTO_INCREMENT = 700');
  await admin.query('CREATE TABLE app.seen (id INT PRIMARY KEY, last BIGINT)');
  await admin.query(
    'CREATE TRIGGER app.note_last BEFORE INSERT ON app.seen FOR EACH ROW SET NEW.last = LAST_INSERT_ID()',
  );
  const seenOver = async (alias: string, id: number) => {
    await rowsOf(alias, 'INSERT INTO app.own VALUES ()');
    await rowsOf(alias, `INSERT INTO app.seen (id) VALUES (${id})`);
    const [row] = await admin.query('SELECT last FROM app.seen WHERE id = ?', [id]);
    return Number(row?.last);
  };
  expect(await seenOver('default', 1)).toBe(700);
  expect(await seenOver('reset', 2)).toBe(0);
});
