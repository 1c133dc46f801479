import { Agent } from 'node:http';
import { ROTATION_STEPS } from '../../../lib/protocol/rotation.ts';
import { settingsFor } from '../broker.ts';
import { type BrokerProcess, startBrokerProcess } from '../broker-process.ts';
import type { TestDatabase } from '../database/database.ts';
import { type HttpReply, http } from '../http.ts';
import { FakeSecretsManager } from './secrets-manager.ts';

const SECRET_ID = 'prod/shop';
const MASTER_SECRET_ID = 'prod/master';

export interface SceneOptions {
  readonly user: string;
  /** Another user takes turns with this one. */
  readonly takesTurns?: boolean;
  readonly pool?: object;
  readonly secrets?: object;
}

/** A broker process whose database user has its password in a Secrets Manager, where the broker rotates it. */
export interface RotationScene extends AsyncDisposable {
  readonly broker: BrokerProcess;
  readonly secrets: FakeSecretsManager;
  post(path: string, body: unknown, key?: 'writer-key' | 'admin-key'): Promise<HttpReply>;
  /**
   * All steps of a rotation, as Secrets Manager asks for them.
   *
   * @param inWindow Goes on between `setSecret` and `testSecret`: the server knows the next password, and the secret
   *   still names the last one.
   */
  rotate(inWindow: () => Promise<void>): Promise<void>;
  /** Threads of the user, and of the one that it takes turns with, on the server. */
  threads(): Promise<number[]>;
  /** Attempts to log in that the server has seen, of anybody. */
  logins(): Promise<number>;
}

export async function startRotationScene(
  database: TestDatabase,
  { user, takesTurns = false, pool = {}, secrets: secretsSettings = {} }: SceneOptions,
): Promise<RotationScene> {
  const { admin, app, server } = database;
  const password = 'the first password';
  await admin.createUser({ ...app, user, password });
  const secrets = await FakeSecretsManager.start();
  secrets.put(MASTER_SECRET_ID, JSON.stringify({ username: server.user, password: server.password }));
  const turns = takesTurns ? { masterarn: secrets.arnOf(MASTER_SECRET_ID) } : {};
  secrets.put(SECRET_ID, JSON.stringify({ username: user, password, ...turns }));

  const settings = settingsFor(database, {
    secrets: secretsSettings,
    databases: { default: { credentials: { secretId: SECRET_ID }, pool } },
  });
  const broker = await startBrokerProcess(settings, secrets.environment);
  const agent = new Agent({ keepAlive: true });
  const post: RotationScene['post'] = async (path, body, key = 'writer-key') =>
    await http(`${broker.url}${path}`, {
      agent,
      headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });

  return {
    broker,
    secrets,
    post,
    rotate: async (inWindow) => {
      const ClientRequestToken = secrets.beginRotation(SECRET_ID);
      for (const Step of ROTATION_STEPS) {
        const event = { Step, SecretId: secrets.arnOf(SECRET_ID), ClientRequestToken };
        const { status, text } = await post(`/v1/rotation/${Step}`, event, 'admin-key');
        if (status !== 200) throw new Error(`${Step}: ${status} ${text}`);
        if (Step === 'setSecret') await inWindow();
      }
    },
    threads: async () => {
      const rows = await admin.query('SELECT id FROM information_schema.processlist WHERE user IN (?, ?)', [
        user,
        `${user}_clone`,
      ]);
      return rows.map((row) => Number(Object.values(row)[0]));
    },
    logins: async () => {
      const [row] = await admin.query("SHOW GLOBAL STATUS LIKE 'Connections'");
      return Number(row?.Value);
    },
    [Symbol.asyncDispose]: async () => {
      agent.destroy();
      await broker.stop();
      await secrets[Symbol.asyncDispose]();
    },
  };
}
