import type { TestDatabase } from './database/database.ts';

/** A table of the numbers 1 to 100,000 for tests that need many rows: `app.numbers (seq BIGINT)`. */
export async function createNumbers({ admin }: TestDatabase): Promise<void> {
  await admin.query('CREATE TABLE app.digits (d INT)');
  await admin.query('INSERT INTO app.digits VALUES (0), (1), (2), (3), (4), (5), (6), (7), (8), (9)');
  await admin.query('CREATE TABLE app.numbers (seq BIGINT PRIMARY KEY)');
  await admin.query(
    `INSERT INTO app.numbers SELECT 1 + a.d + 10 * b.d + 100 * c.d + 1000 * d.d + 10000 * e.d
      FROM app.digits a, app.digits b, app.digits c, app.digits d, app.digits e`,
  );
}
