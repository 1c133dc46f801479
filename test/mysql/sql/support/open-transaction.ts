import { type Connection, createConnection, type RowDataPacket } from 'mysql2/promise';
import type { TestDatabase } from '../../../support/database/database.ts';

/** A transaction on a real server, run as root, so that no missing right stands for a rule. */
export class OpenTransaction {
  readonly #connection: Connection;
  readonly #database: TestDatabase;

  private constructor(connection: Connection, database: TestDatabase) {
    this.#connection = connection;
    this.#database = database;
  }

  static async connect(database: TestDatabase): Promise<OpenTransaction> {
    const { host, port, user, password } = database.server;
    await database.admin.query('CREATE TABLE app.mark (id INT PRIMARY KEY)');
    const connection = await createConnection({
      host,
      port,
      user,
      password,
      database: 'app',
      rowsAsArray: true,
    });
    return new OpenTransaction(connection, database);
  }

  async close(): Promise<void> {
    await this.#connection.end();
  }

  /** Begins a transaction that has written one row. */
  async begin(sqlMode = ''): Promise<void> {
    await this.#connection.reset();
    await this.#database.admin.query('DELETE FROM app.mark');
    await this.#connection.query(`SET sql_mode = '${sqlMode}'`);
    await this.#connection.query('CREATE TEMPORARY TABLE scratch (a INT)');
    await this.#connection.query('START TRANSACTION');
    await this.#connection.query('INSERT INTO mark VALUES (1)');
  }

  /** Whether the server took the statement. A refused one may have committed all the same. */
  async run(sql: string): Promise<boolean> {
    return await this.#connection.query(sql).then(
      () => true,
      () => false,
    );
  }

  /** Still the same transaction: its row is there, and for itself only. */
  async isOpen(): Promise<boolean> {
    const [rows] = await this.#connection.query<RowDataPacket[]>('SELECT id FROM mark');
    const seenByOthers = await this.#database.admin.query('SELECT id FROM app.mark');
    return rows.length === 1 && seenByOthers.length === 0;
  }

  /** What decides how statements are read and what COMMIT does. */
  async session(): Promise<unknown> {
    const [rows] = await this.#connection.query<RowDataPacket[]>(
      `SELECT @@sql_mode, @@autocommit, @@completion_type, @@character_set_client, @@character_set_connection,
         @@character_set_results, DATABASE(), CURRENT_ROLE()`,
    );
    return rows;
  }
}
