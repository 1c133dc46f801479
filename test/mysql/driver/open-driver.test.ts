import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Driver, openDriver } from '../../../lib/mysql/driver/open-driver.ts';
import { encryptionOf } from '../../../lib/mysql/driver/tls.ts';
import { startTestDatabase, type TestDatabase } from '../../support/database/database.ts';

let database: TestDatabase;
let driver: Driver;

beforeAll(async () => {
  database = await startTestDatabase();
  const { host, port } = database.server;
  const { user: username, password, database: name } = database.app;
  const login = { host, port, username, password, database: name, versionId: '1' };
  driver = await openDriver(login, encryptionOf('off'), 5_000);
});

afterAll(async () => {
  driver.connection.end();
  await driver.closed;
  await database.stop();
});

async function session(): Promise<unknown> {
  return await new Promise((resolve, reject) => {
    driver.connection.query('SELECT @@sql_mode, @@character_set_client AS charset', (error, rows) =>
      error ? reject(error) : resolve(rows),
    );
  });
}

async function reset(): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    driver.connection.reset((error) => (error ? reject(error) : resolve()));
  });
}

test('a login gets the sql_mode that a reset gives back, not one with IGNORE_SPACE', async () => {
  const [fresh] = [await session()];
  expect(JSON.stringify(fresh)).not.toContain('IGNORE_SPACE');
  await reset();
  expect(await session()).toEqual(fresh);
});

// MySQL gives the server's default; the session statement puts it right.
test('a reset gives back the character set of the login, not that of another connection', async () => {
  if (database.server.flavour === 'mysql') return;
  const { createConnection } = await import('mysql2/promise');
  const { host, port } = database.server;
  for (let round = 0; round < 5; round += 1) {
    const other = await createConnection({ host, port, ...database.app, charset: 'latin1' });
    await other.query("SELECT 'é'");
    await other.end();
    await reset();
    expect(await session()).toMatchObject([{ charset: 'utf8mb4' }]);
  }
});
