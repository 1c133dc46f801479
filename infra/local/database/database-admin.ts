import { type Connection, createConnection, type ResultSetHeader, type RowDataPacket } from 'mysql2/promise';
import type { DatabaseServer } from './database-server.ts';

type AdminValue = string | number | null | Buffer;

/** An account with every right on one database and none elsewhere. */
export interface Account {
  readonly user: string;
  readonly password: string;
  readonly database: string;
}

/** Where a server is, and its administrator's login. */
export type ServerAccess = Pick<DatabaseServer, 'host' | 'port' | 'user' | 'password'>;

/** The administrator of a private server: one connection as root, opened when needed and again after it was lost. */
export class DatabaseAdmin {
  readonly #server: ServerAccess;
  #connection: Connection | undefined;

  constructor(server: ServerAccess) {
    this.#server = server;
  }

  /** @returns the rows, or none for a statement without rows. */
  async query(sql: string, values: AdminValue[] = []): Promise<RowDataPacket[]> {
    const connection = await this.#connected();
    const [rows] = await connection.query<RowDataPacket[] | ResultSetHeader>(sql, values);
    return Array.isArray(rows) ? rows : [];
  }

  async createDatabase(name: string): Promise<void> {
    await this.query('CREATE DATABASE ?? CHARACTER SET utf8mb4', [name]);
  }

  /** Creates an ordinary account: no SUPER, nothing outside its database. */
  async createUser({ user, password, database }: Account): Promise<void> {
    await this.query("CREATE USER ?@'%' IDENTIFIED BY ?", [user, password]);
    await this.query("GRANT ALL PRIVILEGES ON ??.* TO ?@'%'", [database, user]);
  }

  async close(): Promise<void> {
    await this.#connection?.end();
    this.#connection = undefined;
  }

  async #connected(): Promise<Connection> {
    if (this.#connection !== undefined) return this.#connection;
    const { host, port, user, password } = this.#server;
    const connection = await createConnection({ host, port, user, password, charset: 'utf8mb4' });
    const forget = () => {
      if (this.#connection === connection) this.#connection = undefined;
    };
    connection.on('error', forget);
    connection.on('end', forget);
    this.#connection = connection;
    return connection;
  }
}
