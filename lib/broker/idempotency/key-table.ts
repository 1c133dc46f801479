import type { CallScope } from '../../async/interruptible.ts';
import { BrokerError } from '../../errors.ts';
import type { MysqlConnection } from '../../mysql/connection/mysql-connection.ts';
import { rowsOf } from '../../mysql/result/result-collector.ts';
import { statementBinder } from '../../mysql/sql/binding/bind.ts';
import type { SqlMode } from '../../mysql/sql/lexer/sql-mode.ts';
import type { MysqlTransaction } from '../../mysql/transaction/transaction.ts';
import type { IdempotencySettings } from '../../settings/settings.ts';
import type { IdempotentRequest } from './idempotent-request.ts';
import { asInProgress, inProgress } from './key-mutex.ts';

/** Larger answers are stored without columns and rows. */
const MAX_WHOLE_BYTES = 65_536;

/** The stored form of an answer: all of it, or all but columns and rows. */
export function toStoredAnswer(body: Buffer): string {
  const text = body.toString();
  if (body.length <= MAX_WHOLE_BYTES) return text;
  return JSON.stringify(JSON.parse(text), (_, value: unknown) =>
    hasColumns(value) ? { ...value, columns: [], rows: [], rowsOmitted: true } : value,
  );
}

function hasColumns(value: unknown): value is object {
  if (typeof value !== 'object' || value === null || !('columns' in value)) return false;
  return Array.isArray(value.columns) && value.columns.length > 0;
}

/** What an earlier call stored with the same key. */
interface EarlierCall {
  readonly requestHash: string;
  readonly answer: string;
}

/** `claimed`: the key belongs to this call until its transaction ends. */
type Claim = 'claimed' | 'table_is_missing' | 'expired' | EarlierCall;

const TABLE_IS_MISSING = 1146;

/** Above the size of any stored answer, however cells are counted. */
const LIMITS = { maxRows: 1, maxResultBytes: 2_000_000 };

/** Options of statements outside the caller's transaction. They can be repeated and do none of the caller's work. */
const COMMAND = {
  limits: LIMITS,
  isReadOnly: false,
  cannotWrite: true,
  effect: 'all_or_nothing',
  isPlain: false,
} as const;

/**
 * The table of idempotency keys. A row is written by the transaction that does the call's work: it is there if and only
 * if the work was done. All times are the server's, so that brokers agree.
 */
export class KeyTable {
  readonly #bind: ReturnType<typeof statementsFor>;
  readonly #definition: string;
  readonly #keepMs: number;

  constructor({ table, keepMs }: IdempotencySettings, sqlMode: SqlMode) {
    this.#bind = statementsFor(`\`${table}\``, sqlMode);
    this.#definition = definitionOf(`\`${table}\``);
    this.#keepMs = keepMs;
  }

  /**
   * Inserts the key's row without an answer, as the first statement of the transaction. A call that waits for another
   * one with this key then holds no other lock, so it cannot deadlock with the other's work.
   *
   * @throws {BrokerError} IDEMPOTENCY_IN_PROGRESS: the other call still ran when waiting ended.
   */
  async claim(transaction: MysqlTransaction, call: IdempotentRequest, scope: CallScope): Promise<Claim> {
    const { caller, key, requestHash } = call;
    const options = { ...scope, limits: LIMITS };
    const keptMicroseconds = this.#keepMs * 1_000;
    try {
      await transaction.query(this.#bind.insert([caller, key, requestHash, keptMicroseconds]), options);
      return 'claimed';
    } catch (error) {
      if (isMissingTable(error)) return 'table_is_missing';
      if (!(error instanceof BrokerError) || error.code !== 'DUPLICATE_KEY') throw this.#waitFailure(error);
    }
    try {
      const [row] = rowsOf(await transaction.query(this.#bind.read([caller, key]), options));
      return earlierCall(row);
    } catch (error) {
      throw this.#waitFailure(error);
    }
  }

  /** Adds the answer to the row, in the transaction that inserted it. */
  async store(
    transaction: MysqlTransaction,
    { caller, key }: IdempotentRequest,
    answer: string,
    scope: CallScope,
  ): Promise<void> {
    const bound = this.#bind.store([answer, caller, key]);
    const options = { ...scope, limits: LIMITS };
    const { affectedRows } = await transaction.query(bound, options).catch((error: unknown) => {
      throw this.#explained(error);
    });
    if (affectedRows === 1) return;
    throw new BrokerError('STATEMENT_NOT_ALLOWED', 'The statements have removed their own idempotency key');
  }

  /** @throws {BrokerError} as `claim` does. */
  async removeExpired(
    connection: MysqlConnection,
    { caller, key }: IdempotentRequest,
    scope: CallScope,
  ): Promise<void> {
    const { text } = this.#bind.removeExpired([caller, key]);
    await connection.query(text, { ...COMMAND, ...scope }).catch((error: unknown) => {
      throw this.#waitFailure(error);
    });
  }

  /** Removes up to `maxRows` expired rows. Returns how many. */
  async sweep(connection: MysqlConnection, maxRows: number, scope: CallScope): Promise<number> {
    const { affectedRows } = await connection.query(this.#bind.sweep([maxRows]).text, {
      ...COMMAND,
      ...scope,
    });
    return affectedRows ?? 0;
  }

  /** @throws {BrokerError} SQL_ERROR: the login may not; the message holds the table's definition. */
  async create(connection: MysqlConnection, scope: CallScope): Promise<void> {
    await connection.query(this.#definition, { ...COMMAND, ...scope }).catch((error: unknown) => {
      throw this.#explained(error);
    });
  }

  #waitFailure(error: unknown): unknown {
    return asInProgress(this.#explained(error));
  }

  /** Says that MySQL refused a statement on the table of keys, not one of the caller's. */
  #explained(error: unknown): unknown {
    if (!(error instanceof BrokerError) || error.code !== 'SQL_ERROR') return error;
    const message = `The table of idempotency keys cannot be used: ${error.message}. It is made by: ${this.#definition}`;
    return new BrokerError('SQL_ERROR', message, { mysql: error.mysql, cause: error });
  }
}

function earlierCall(row: readonly unknown[] = []): EarlierCall | 'expired' {
  const [requestHash, answer, isExpired] = row;
  if (requestHash === undefined || Number(isExpired) === 1) return 'expired';
  // The broker commits no row without an answer. If one is there, the work may have been done.
  if (typeof answer !== 'string') throw inProgress();
  return { requestHash: String(requestHash), answer };
}

export function isMissingTable(error: unknown): boolean {
  return error instanceof BrokerError && error.mysql?.errno === TABLE_IS_MISSING;
}

/** `caller` and `idempotency_key` are plain ASCII; by the primary key every lock covers a single row. */
function definitionOf(table: string): string {
  const ascii = 'CHARACTER SET ascii COLLATE ascii_bin NOT NULL';
  return `CREATE TABLE IF NOT EXISTS ${table} (
    caller VARCHAR(63) ${ascii}, idempotency_key VARCHAR(128) ${ascii}, request_hash CHAR(64) ${ascii},
    answer MEDIUMTEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin, expires_at DATETIME(3) NOT NULL,
    PRIMARY KEY (caller, idempotency_key), KEY expires_at (expires_at)) ENGINE = InnoDB`.replaceAll(
    /\s+/g,
    ' ',
  );
}

function statementsFor(table: string, sqlMode: SqlMode) {
  const bind = (sql: string) => statementBinder(sql, sqlMode, 'in_transaction');
  return {
    insert: bind(
      `INSERT INTO ${table} (caller, idempotency_key, request_hash, expires_at)
       VALUES (?, ?, ?, UTC_TIMESTAMP(3) + INTERVAL ? MICROSECOND)`,
    ),
    // Locked, so that even under READ UNCOMMITTED no uncommitted row is read.
    read: bind(
      `SELECT request_hash, answer, expires_at <= UTC_TIMESTAMP(3) FROM ${table}
       WHERE caller = ? AND idempotency_key = ? LOCK IN SHARE MODE`,
    ),
    store: bind(`UPDATE ${table} SET answer = ? WHERE caller = ? AND idempotency_key = ?`),
    removeExpired: bind(
      `DELETE FROM ${table} WHERE caller = ? AND idempotency_key = ? AND expires_at <= UTC_TIMESTAMP(3)`,
    ),
    sweep: bind(`DELETE FROM ${table} WHERE expires_at <= UTC_TIMESTAMP(3) ORDER BY expires_at LIMIT ?`),
  };
}
