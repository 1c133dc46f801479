import type { CallScope } from '../../async/interruptible.ts';
import { BrokerError } from '../../errors.ts';
import type { MysqlConnection } from '../../mysql/connection/mysql-connection.ts';
import { rowsOf } from '../../mysql/result/result-collector.ts';
import { statementBinder } from '../../mysql/sql/binding/bind.ts';
import type { SqlMode } from '../../mysql/sql/lexer/sql-mode.ts';
import type { Transaction } from '../../mysql/transaction/transaction.ts';
import type { IdempotencySettings } from '../../settings/settings.ts';
import type { IdempotentRequest } from './idempotent-request.ts';
import { asInProgress, inProgress } from './key-mutex.ts';

/** Of an answer that is kept whole. */
const MAX_WHOLE_BYTES = 65_536;

/** What is kept of an answer for repeats: all of it, or all but the rows and what describes them. */
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

/** What an earlier call has left under the same key. */
interface EarlierCall {
  readonly requestHash: string;
  readonly answer: string;
}

/** `claimed`: the key is this call's, as long as its transaction lasts. */
type Claim = 'claimed' | 'table_is_missing' | 'expired' | EarlierCall;

const TABLE_IS_MISSING = 1146;

/** The most that a stored answer can be, however its cells are counted. */
const LIMITS = { maxRows: 1, maxResultBytes: 2_000_000 };

/** What of it is not in a transaction can be done again, and does nothing of the caller's. */
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
   * Writes the key's row without an answer, as the first thing in a transaction: the lock on it is all that is held
   * while another call with this key runs, so that waiting for that leads to no deadlock with its work.
   *
   * @throws {BrokerError} IDEMPOTENCY_IN_PROGRESS: it could not be waited for any longer.
   */
  async claim(transaction: Transaction, call: IdempotentRequest, watched: CallScope): Promise<Claim> {
    const { caller, key, requestHash } = call;
    const terms = { ...watched, limits: LIMITS };
    const keptMicroseconds = this.#keepMs * 1_000;
    try {
      await transaction.query(this.#bind.insert([caller, key, requestHash, keptMicroseconds]), terms);
      return 'claimed';
    } catch (error) {
      if (isMissingTable(error)) return 'table_is_missing';
      if (!(error instanceof BrokerError) || error.code !== 'DUPLICATE_KEY') throw this.#waitFailure(error);
    }
    try {
      const [row] = rowsOf(await transaction.query(this.#bind.read([caller, key]), terms));
      return earlierCall(row);
    } catch (error) {
      throw this.#waitFailure(error);
    }
  }

  /** Completes the row, in the transaction that has written it. */
  async store(
    transaction: Transaction,
    { caller, key }: IdempotentRequest,
    answer: string,
    watched: CallScope,
  ): Promise<void> {
    const bound = this.#bind.store([answer, caller, key]);
    const terms = { ...watched, limits: LIMITS };
    const { affectedRows } = await transaction.query(bound, terms).catch((error: unknown) => {
      throw this.#explained(error);
    });
    if (affectedRows === 1) return;
    throw new BrokerError('STATEMENT_NOT_ALLOWED', 'The statements have removed their own idempotency key');
  }

  /** @throws {BrokerError} as `claim` does. */
  async removeExpired(
    connection: MysqlConnection,
    { caller, key }: IdempotentRequest,
    watched: CallScope,
  ): Promise<void> {
    const { text } = this.#bind.removeExpired([caller, key]);
    await connection.query(text, { ...COMMAND, ...watched }).catch((error: unknown) => {
      throw this.#waitFailure(error);
    });
  }

  /** Removes some rows that have expired. How many. */
  async sweep(connection: MysqlConnection, maxRows: number, watched: CallScope): Promise<number> {
    const { affectedRows } = await connection.query(this.#bind.sweep([maxRows]).text, {
      ...COMMAND,
      ...watched,
    });
    return affectedRows ?? 0;
  }

  /** @throws {BrokerError} SQL_ERROR: the login may not; the message holds the table's definition. */
  async create(connection: MysqlConnection, watched: CallScope): Promise<void> {
    await connection.query(this.#definition, { ...COMMAND, ...watched }).catch((error: unknown) => {
      throw this.#explained(error);
    });
  }

  #waitFailure(error: unknown): unknown {
    return asInProgress(this.#explained(error));
  }

  /** The caller's own statements are not what MySQL refused. */
  #explained(error: unknown): unknown {
    if (!(error instanceof BrokerError) || error.code !== 'SQL_ERROR') return error;
    const message = `The table of idempotency keys cannot be used: ${error.message}. It is made by: ${this.#definition}`;
    return new BrokerError('SQL_ERROR', message, { mysql: error.mysql, cause: error });
  }
}

function earlierCall(row: readonly unknown[] = []): EarlierCall | 'expired' {
  const [requestHash, answer, isExpired] = row;
  if (requestHash === undefined || Number(isExpired) === 1) return 'expired';
  // The broker leaves no such row behind. Whoever did: the work may have been done.
  if (typeof answer !== 'string') throw inProgress();
  return { requestHash: String(requestHash), answer };
}

export function isMissingTable(error: unknown): boolean {
  return error instanceof BrokerError && error.mysql?.errno === TABLE_IS_MISSING;
}

/** `caller` and `idempotency_key` are plain ASCII; the primary key makes every lock one on a single row. */
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
    // With a lock, for whatever the isolation is, a row that may yet be rolled back is none to read.
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
