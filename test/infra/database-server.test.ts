import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { createConnection } from 'mysql2/promise';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startDatabaseServer } from '../../infra/local/database/database-server.ts';
import { findFreePort } from '../../infra/local/process/free-port.ts';
import { processExists } from '../../infra/local/process/watched-process.ts';
import { type OwnDatabase, startOwnDatabase } from '../support/database/own-database.ts';

describe('a private database server', () => {
  let database: OwnDatabase;

  beforeAll(async () => {
    database = await startOwnDatabase({ maxConnections: 20 });
  });

  afterAll(async () => {
    await database.stop();
  });

  test('answers a query of the ordinary account in its own database', async () => {
    const { server, app } = database;
    const connection = await createConnection({ host: server.host, port: server.port, ...app });
    const [rows] = await connection.query('SELECT DATABASE() AS name, @@max_connections AS places');
    await connection.end();

    expect(rows).toEqual([{ name: 'app', places: 20 }]);
  });

  test('lets the ordinary account neither administer nor see other databases', async () => {
    const { server, app, admin } = database;
    await admin.createDatabase('other');
    const connection = await createConnection({ host: server.host, port: server.port, ...app });
    const refusals = ['SET GLOBAL max_connections = 5', 'SELECT * FROM mysql.user', 'USE other'].map((sql) =>
      connection.query(sql).catch((error: unknown) => error),
    );

    expect(await Promise.all(refusals)).toMatchObject([{ errno: 1227 }, { errno: 1142 }, { errno: 1044 }]);
    await connection.end();
  });

  test('refuses a root without the password', async () => {
    const { host, port } = database.server;

    await expect(createConnection({ host, port, user: 'root' })).rejects.toMatchObject({ errno: 1045 });
  });

  test('shows no password to those who list processes', async () => {
    const commandLine = await readFile(`/proc/${database.server.pid}/cmdline`, 'utf8');

    expect(commandLine).toContain('--skip-name-resolve');
    expect(commandLine).not.toContain(database.server.password);
  });

  test('comes back with its data on the same port after it was halted, and after it was killed', async () => {
    const { server, admin } = database;
    await admin.query('CREATE TABLE app.kept (id INT)');
    for (const end of [() => server.halt(), () => server.kill()]) {
      const { port, pid } = server;
      await admin.query('INSERT INTO app.kept VALUES (1)');
      await end();
      expect(server.pid).toBeUndefined();
      await server.start();
      expect(server.port).toBe(port);
      expect(server.pid).not.toBe(pid);
    }

    expect(await admin.query('SELECT COUNT(*) AS rowCount FROM app.kept')).toEqual([{ rowCount: 2 }]);
  });
});

test('a stopped database server leaves no process and no folder', async () => {
  const { server, admin, stop } = await startOwnDatabase();
  const { pid = 0 } = server;
  const [row] = await admin.query('SELECT @@datadir AS dataDir');
  expect([processExists(pid), existsSync(row?.dataDir)]).toEqual([true, true]);

  await stop();

  expect([processExists(pid), existsSync(row?.dataDir)]).toEqual([false, false]);
});

test('a server that cannot start says why', async () => {
  await expect(
    startDatabaseServer({ extraArguments: ['--no-such-option'], port: await findFreePort() }),
  ).rejects.toThrow(/exited with code[\s\S]*no-such-option/);
});
