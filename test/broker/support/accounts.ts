import { beforeAll, beforeEach } from 'vitest';
import type { TestDatabase } from '../../support/database/database.ts';

/** Two accounts that hold 100 each before every test of the file. The result reads what they hold. */
export function useAccounts({ admin }: TestDatabase): () => Promise<unknown[]> {
  beforeAll(async () => {
    await admin.query('CREATE TABLE app.accounts (id INT PRIMARY KEY, balance INT NOT NULL)');
  });
  beforeEach(async () => {
    await admin.query('REPLACE INTO app.accounts VALUES (1, 100), (2, 100)');
  });
  return async () => {
    const rows = await admin.query('SELECT balance FROM app.accounts ORDER BY id');
    return rows.map(({ balance }) => balance);
  };
}
