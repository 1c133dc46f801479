import { onTestFinished, vi } from 'vitest';
import { startTestBroker, type TestBroker, type TestBrokerOptions } from '../broker.ts';
import type { TestDatabase } from '../database/database.ts';
import { FakeSecretsManager } from './secrets-manager.ts';

export const SECRET_ID = 'prod/shop';

export interface RotatingBroker {
  readonly broker: TestBroker;
  readonly secrets: FakeSecretsManager;
  readonly user: string;
  /** The text of a secret for this user. */
  secretWith(password: string, more?: object): string;
  setPassword(password: string): Promise<void>;
  /** Threads of the user on the server. */
  threads(): Promise<number[]>;
  killAll(): Promise<void>;
  /** Before the test is over. */
  stop(): Promise<void>;
  /** As an operator, or EventBridge, does. */
  refresh(): Promise<unknown>;
}

let users = 0;

/** A broker of its own for a test, whose user has the password `old` and its credentials in a secret. */
export async function startRotatingBroker(
  database: TestDatabase,
  { databases, ...options }: TestBrokerOptions = {},
  secretPassword = 'old',
): Promise<RotatingBroker> {
  users += 1;
  const user = `rotating${users}`;
  const { admin, app, server } = database;
  await admin.createUser({ ...app, user, password: 'old' });
  const secrets = await FakeSecretsManager.start();
  for (const [name, value] of Object.entries(secrets.environment)) vi.stubEnv(name, value);
  const secretWith = (password: string, more: object = {}) =>
    JSON.stringify({ username: user, password, host: server.host, port: server.port, ...more });
  secrets.put(SECRET_ID, secretWith(secretPassword));
  const credentials = { secretId: SECRET_ID };
  const broker = await startTestBroker(database, {
    ...options,
    databases: { ...databases, default: { credentials, ...databases?.default } },
  });
  let isStopped = false;
  const stop = async () => {
    if (isStopped) return;
    isStopped = true;
    await broker.stop();
    vi.unstubAllEnvs();
    await secrets[Symbol.asyncDispose]();
  };
  onTestFinished(stop);
  const threads = async () => {
    const rows = await admin.query('SELECT id FROM information_schema.processlist WHERE user = ?', [user]);
    return rows.map((row) => Number(Object.values(row)[0]));
  };
  return {
    broker,
    secrets,
    user,
    secretWith,
    setPassword: async (password) => {
      await admin.query("ALTER USER ?@'%' IDENTIFIED BY ?", [user, password]);
    },
    threads,
    stop,
    killAll: async () => {
      for (const id of await threads()) await admin.query('KILL ?', [id]).catch(() => undefined);
    },
    refresh: async () => {
      const path = '/v1/databases/default/refresh-credentials';
      return (await broker.post(path, {}, broker.keys.admin)).json();
    },
  };
}
