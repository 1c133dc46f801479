import { afterAll } from 'vitest';
import { startTestBroker, type TestBroker, type TestBrokerOptions } from './broker.ts';
import { startTestDatabase, type TestDatabase } from './database/database.ts';

/** A database and a broker before it for the tests of one file, stopped after the last of them. */
export async function useBroker(
  options?: TestBrokerOptions,
): Promise<{ database: TestDatabase; broker: TestBroker }> {
  const database = await startTestDatabase();
  afterAll(database.stop);
  const broker = await startTestBroker(database, options);
  // Runs first: hooks of this kind run in reverse order.
  afterAll(broker.stop);
  return { database, broker };
}
