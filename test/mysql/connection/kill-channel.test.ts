import type { RowDataPacket } from 'mysql2';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { KillConnection } from '../../../lib/mysql/connection/kill/kill-channel.ts';
import { KillTarget } from '../../../lib/mysql/connection/kill/kill-target.ts';
import { type Driver, openDriver } from '../../../lib/mysql/driver/open-driver.ts';
import { encryptionOf } from '../../../lib/mysql/driver/tls.ts';
import { startTestDatabase, type TestDatabase } from '../../support/database/database.ts';

let database: TestDatabase;

beforeAll(async () => {
  database = await startTestDatabase();
});

afterAll(async () => {
  await database.stop();
});

async function login(): Promise<Driver> {
  const { host, port } = database.server;
  const { user: username, password, database: schema } = database.app;
  const account = { versionId: '1', host, port, username, password, database: schema };
  return await openDriver(account, encryptionOf('off'), 5_000);
}

/** A connection whose server has shown who it is, and how the control connection is to log in for it. */
async function victimOf(driver: Driver, loginAs: () => Promise<Driver> = login): Promise<KillTarget> {
  const victim = new KillTarget(driver, { loginKey: 'app', login: loginAs });
  await victim.begin(async (sql) => await rowsOf(driver, sql));
  return victim;
}

async function rowsOf({ connection }: Driver, sql: string): Promise<unknown[][]> {
  return await new Promise((resolve, reject) => {
    connection.query<RowDataPacket[][]>({ sql, rowsAsArray: true }, (error, rows) =>
      error ? reject(error) : resolve(rows),
    );
  });
}

async function isOnServer({ connection }: Driver): Promise<boolean> {
  const id = connection.threadId;
  return (
    (await database.admin.query(`SELECT id FROM information_schema.processlist WHERE id = ${id}`)).length > 0
  );
}

test('a kill that stood in line behind a hanging login is given up, not sent late', async () => {
  const control = new KillConnection();
  const driver = await login();
  let letGo: (error: Error) => void = () => undefined;
  const hanging = new Promise<Driver>((_, reject) => {
    letGo = reject;
  });
  const first = control.killConnection(await victimOf(driver, async () => await hanging));
  const second = control.killConnection(await victimOf(driver));
  const bothFail = Promise.all([
    expect(first).rejects.toThrow('no network'),
    expect(second).rejects.toThrow('too late'),
  ]);
  // Longer than a kill may take. By then the thread's id could be somebody else's.
  setTimeout(() => letGo(new Error('no network')), 1_200);
  await bothFail;
  expect(await isOnServer(driver)).toBe(true);
  await control.close();
  driver.socket.destroy();
});

test('nobody is killed for a connection that has ended', async () => {
  const control = new KillConnection();
  const innocent = await login();
  const driver = await login();
  const victim = await victimOf(driver);
  driver.socket.destroy();
  await control.killConnection(victim);
  expect(await isOnServer(innocent)).toBe(true);
  innocent.socket.destroy();
});

test('a kill that is in time ends its victim and no other', async () => {
  const control = new KillConnection();
  const driver = await login();
  const other = await login();
  await control.killConnection(await victimOf(driver));
  await driver.closed;
  expect(await isOnServer(other)).toBe(true);
  await control.close();
  other.socket.destroy();
});
