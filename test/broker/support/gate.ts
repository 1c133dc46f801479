import type { TestDatabase } from '../../support/database/database.ts';
import { untilRunning } from '../../support/running-statements.ts';

/** A statement that inserts into `orders` as soon as the gate is open. */
export const GATED_INSERT = { sql: 'INSERT INTO orders (note) SELECT note FROM gate LOCK IN SHARE MODE' };

/** Makes the tables `orders` and `gate` in the test's database. */
export async function createOrders({ admin }: TestDatabase): Promise<void> {
  await admin.query('CREATE TABLE app.orders (id INT PRIMARY KEY AUTO_INCREMENT, note VARCHAR(200))');
  await admin.query("CREATE TABLE app.gate AS SELECT 'through the gate' AS note");
}

/** Lets gated inserts wait in MySQL until `openGate`. */
export async function closeGate({ admin }: TestDatabase): Promise<void> {
  await admin.query('START TRANSACTION');
  await admin.query('SELECT note FROM app.gate FOR UPDATE');
}

export async function openGate({ admin }: TestDatabase): Promise<void> {
  await admin.query('COMMIT');
}

/** Has the gated insert that waits fail. */
export async function failGatedInsert(database: TestDatabase): Promise<void> {
  const [id] = await untilRunning(database, `${GATED_INSERT.sql}%`);
  await database.admin.query(`KILL QUERY ${id}`);
}
