import { afterAll } from 'vitest';
import type { TestBroker, TestBrokerOptions } from '../broker.ts';
import type { TestDatabase } from '../database/database.ts';
import { FakeSecretsManager } from '../rotation/secrets-manager.ts';
import { useBroker } from '../use-broker.ts';
import { PackagedFunctions, type StartOptions } from './packaged-functions.ts';
import type { LambdaFunction } from './start-function.ts';

/** The packaged functions with all that they have when they are deployed: a broker, its database, their keys. */
export interface FunctionScene {
  readonly database: TestDatabase;
  readonly broker: TestBroker;
  readonly secrets: FakeSecretsManager;
  /** As the template has it, but with the address of this broker. */
  start(name: string, options?: StartOptions): Promise<LambdaFunction>;
}

/** For the tests of one file. */
export async function useFunctions(options?: TestBrokerOptions): Promise<FunctionScene> {
  const { database, broker } = await useBroker(options);
  const secrets = await FakeSecretsManager.start();
  afterAll(async () => await secrets[Symbol.asyncDispose]());
  putKeys(secrets, broker);
  const packaged = await PackagedFunctions.build();
  return {
    database,
    broker,
    secrets,
    start: async (name, { replace, ...rest } = {}) =>
      await packaged.start(name, {
        env: secrets.environment,
        replace: { BROKER_URL: broker.url, ...replace },
        ...rest,
      }),
  };
}

/** Under the names that infra/README.md tells to give them. */
export function putKeys(secrets: FakeSecretsManager, { keys }: TestBroker): void {
  secrets.put('conn-pool/functions-key', keys.writer);
  secrets.put('conn-pool/operator-key', keys.admin);
}
