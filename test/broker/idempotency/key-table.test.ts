import { afterAll, beforeAll, beforeEach, expect, test, vi } from 'vitest';
import { startTestBroker, type TestBroker } from '../../support/broker.ts';
import { startTestDatabase, type TestDatabase } from '../../support/database/database.ts';
import { eventually, type HttpReply, http } from '../../support/http.ts';

const OPTIONS = { databases: { default: { idempotency: {} } } };
const LIMITED = { user: 'limited', password: 'limited-password', database: 'app' };

let database: TestDatabase;

beforeAll(async () => {
  database = await startTestDatabase();
  const { admin } = database;
  await admin.query('CREATE TABLE app.orders (note VARCHAR(20))');
  await admin.query("CREATE USER limited@'%' IDENTIFIED BY 'limited-password'");
  await admin.query("GRANT SELECT, INSERT, UPDATE, DELETE ON app.* TO limited@'%'");
});

afterAll(async () => {
  await database.stop();
});

beforeEach(async () => {
  await database.admin.query('DROP TABLE IF EXISTS app.broker_idempotency');
  await database.admin.query('DELETE FROM app.orders');
});

async function insertOrder({ queryUrl, headers }: TestBroker, key: string): Promise<HttpReply> {
  return await http(queryUrl(), {
    headers: { ...headers(), 'idempotency-key': key },
    body: JSON.stringify({ sql: "INSERT INTO orders VALUES ('one')" }),
  });
}

async function count(table: string): Promise<string> {
  const [row] = await database.admin.query(`SELECT COUNT(*) AS n FROM app.${table}`);
  return String(row?.n);
}

test('a login that may not make the table says what to make, and what it then makes serves', async () => {
  const broker = await startTestBroker({ ...database, app: LIMITED }, OPTIONS);
  try {
    const refused = await insertOrder(broker, 'limited');
    expect([refused.status, refused.json()]).toMatchObject([
      400,
      { error: { code: 'SQL_ERROR', outcome: 'not_applied', mysql: { errno: 1142 } } },
    ]);
    expect(await count('orders')).toBe('0');
    const { error } = refused.json() as { error: { message: string } };
    const definition = /It is made by: (.*)$/.exec(error.message)?.[1] ?? '';
    await database.admin.query(definition.replace('`broker_idempotency`', 'app.broker_idempotency'));
    expect((await insertOrder(broker, 'limited')).status).toBe(200);
    expect((await insertOrder(broker, 'limited')).headers['idempotent-replay']).toBe('true');
    expect(await count('orders')).toBe('1');
  } finally {
    await broker.stop();
  }
});

test('keys that have expired are removed within a minute, and no others', async () => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
  const broker = await startTestBroker(database, OPTIONS);
  try {
    await insertOrder(broker, 'old');
    await database.admin.query("UPDATE app.broker_idempotency SET expires_at = '2001-01-01'");
    // More than go at once.
    for (let rows = 1; rows < 2_000; rows *= 2) {
      await database.admin.query(
        `INSERT INTO app.broker_idempotency SELECT 'old', CONCAT(${rows}, idempotency_key), '', '', expires_at
         FROM app.broker_idempotency`,
      );
    }
    await insertOrder(broker, 'new');
    await eventually(
      async () => {
        // Not only once: the pool may just have been busy.
        vi.advanceTimersByTime(60_000);
        return await count('broker_idempotency');
      },
      (left) => left === '1',
    );
    expect((await insertOrder(broker, 'new')).headers['idempotent-replay']).toBe('true');
  } finally {
    await broker.stop();
    vi.useRealTimers();
  }
});
