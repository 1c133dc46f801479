import { createConnection } from 'mysql2/promise';
import { afterAll, vi } from 'vitest';
import { ROTATION_STEPS, type RotationEvent, type RotationStep } from '../../../lib/protocol/rotation.ts';
import { Rotator } from '../../../lib/rotation/rotator.ts';
import { startTestDatabase, type TestDatabase } from '../../support/database/database.ts';
import { FakeSecretsManager } from '../../support/rotation/secrets-manager.ts';

export interface SecretFields {
  readonly username: string;
  readonly password: string;
  readonly [key: string]: unknown;
}

/** A real server and a Secrets Manager for the tests of one file. Secrets say `ssl: false`: the server is on 127.0.0.1. */
export class RotatingDatabase {
  readonly database: TestDatabase;
  readonly secrets: FakeSecretsManager;
  readonly #rotator = new Rotator();

  constructor(database: TestDatabase, secrets: FakeSecretsManager) {
    this.database = database;
    this.secrets = secrets;
  }

  /** A secret in the form that RDS's own have. */
  put(name: string, fields: SecretFields): SecretFields {
    const { host, port } = this.database.server;
    const secret = { engine: 'mysql', host, port: String(port), dbname: 'app', ssl: false, ...fields };
    this.secrets.put(name, JSON.stringify(secret));
    return secret;
  }

  /** The master's, with every right. */
  putMaster(name: string): string {
    const { user, password } = this.database.server;
    this.put(name, { username: user, password });
    return this.secrets.arnOf(name);
  }

  fieldsOf(name: string, label: string): SecretFields {
    return JSON.parse(this.secrets.textOf(name, label) ?? 'null') as SecretFields;
  }

  eventOf(name: string, Step: RotationStep, ClientRequestToken: string): RotationEvent {
    return { Step, SecretId: this.secrets.arnOf(name), ClientRequestToken };
  }

  async step(name: string, step: RotationStep, token: string): Promise<void> {
    await this.#rotator.rotate(this.eventOf(name, step, token));
  }

  /** All steps, as Secrets Manager asks for them; with a token, once more for the same version. */
  async rotate(name: string, token = this.secrets.beginRotation(name)): Promise<string> {
    for (const step of ROTATION_STEPS) await this.step(name, step, token);
    return token;
  }

  async query(login: { username: string; password: string }, sql = 'SELECT 1'): Promise<unknown> {
    const { host, port } = this.database.server;
    const { username: user, password } = login;
    const connection = await createConnection({ host, port, user, password });
    try {
      const [rows] = await connection.query(sql);
      return rows;
    } finally {
      connection.destroy();
    }
  }

  async letsIn(login: { username: string; password: string }): Promise<boolean> {
    return await this.query(login).then(
      () => true,
      () => false,
    );
  }
}

export async function useRotatingDatabase(): Promise<RotatingDatabase> {
  const database = await startTestDatabase();
  afterAll(database.stop);
  const secrets = await FakeSecretsManager.start();
  afterAll(async () => await secrets[Symbol.asyncDispose]());
  for (const [name, value] of Object.entries(secrets.environment)) vi.stubEnv(name, value);
  afterAll(() => vi.unstubAllEnvs());
  return new RotatingDatabase(database, secrets);
}
