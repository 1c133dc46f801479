import * as z from 'zod/mini';
import { type Column, Result, Statement } from '../protocol/query.ts';
import { databasePath, QUERY_ROUTE } from '../protocol/routes.ts';
import { type BrokerReply, parseReply, readFailure, unusableReply } from './broker-reply.ts';
import { Alias, checkArguments, TimeoutMs } from './check-arguments.ts';
import type { Transport } from './http-transport.ts';
import { type ParamValues, toWireParams } from './params.ts';
import { decodeRows, type RowOf, type RowOptions, type RowShape } from './rows.ts';

export interface QueryOptions {
  /** Budget of this query, waiting in line included. The database's own limit is its upper bound. */
  readonly timeoutMs?: number | undefined;
  /** More rows than this are refused. The database's own limit is its upper bound. */
  readonly maxRows?: number | undefined;
  /** Aborted, the query is stopped on the server too, and rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
}

export interface QueryResult<Row> {
  readonly columns: readonly Column[];
  readonly rows: Row[];
  /** Rows that matched. */
  readonly affectedRows: number;
  /** Rows that became different. */
  readonly changedRows: number;
  readonly insertId: string | null;
  /** null where the broker cannot tell. */
  readonly warnings: number | null;
  /** Time in MySQL. */
  readonly durationMs: number;
  /** Time in line for a connection. */
  readonly queueMs: number;
  /** Every set of rows of a CALL that yields several; `columns` and `rows` are the first. */
  readonly resultSets?: readonly { readonly columns: readonly Column[]; readonly rows: unknown[] }[];
}

interface ClientOptions extends RowOptions {
  readonly timeoutMs: number;
}

const CheckedQueryOptions = z.strictObject({
  timeoutMs: z.optional(TimeoutMs),
  maxRows: z.optional(z.int().check(z.minimum(1))),
  signal: z.optional(z.instanceof(AbortSignal)),
});

/** Runs SQL on one of the broker's databases. {@link connect} makes it. */
export class BrokerClient<Shape extends RowShape = 'object'> {
  readonly #transport: Transport;
  readonly #alias: string;
  readonly #options: ClientOptions;

  constructor(transport: Transport, alias: string, options: ClientOptions) {
    this.#transport = transport;
    this.#alias = alias;
    this.#options = options;
  }

  /** The same client for another of the broker's databases. */
  database(alias: string): BrokerClient<Shape> {
    checkArguments(z.object({ database: Alias }), { database: alias });
    return new BrokerClient<Shape>(this.#transport, alias, this.#options);
  }

  /**
   * Runs one SQL statement and returns its rows and what it did.
   *
   * Each query may run on a connection of its own, so session state (`SET @a`, temporary tables,
   * `LAST_INSERT_ID()`) does not last; `insertId` comes with the result.
   *
   * It is sent again only while it surely did not reach a broker that would run it. After any other failure the
   * error's `outcome` tells whether a write may have happened, and `retryable` whether to send it again.
   *
   * @param params Values for `?` in order, or for `:name` by name. See {@link list}, {@link json}, {@link decimal}.
   * @returns Rows in the form that {@link connect} was asked for; DECIMAL, dates and times are strings, binary data
   *   is a Uint8Array. `Row` is the caller's word: nothing checks it.
   * @throws {BrokerError} with the broker's code; `INVALID_REQUEST` before anything is sent if an argument is wrong.
   *
   * @example
   * const { rows } = await db.query<{ id: number }>('SELECT id FROM orders WHERE status IN (?)', [list(['new'])]);
   */
  async query<Row extends object = RowOf<Shape>>(
    sql: string,
    params?: ParamValues,
    options: QueryOptions = {},
  ): Promise<QueryResult<Row>> {
    const { timeoutMs, maxRows, signal } = checkArguments(z.object({ options: CheckedQueryOptions }), {
      options,
    }).options;
    const statement = checkArguments(Statement, {
      sql,
      ...(params !== undefined && { params: toWireParams(params) }),
      ...(maxRows !== undefined && { maxRows }),
    });
    const reply = await this.#transport.send({
      method: 'POST',
      path: databasePath(QUERY_ROUTE, this.#alias),
      body: JSON.stringify(statement),
      timeoutMs: timeoutMs ?? this.#options.timeoutMs,
      signal,
    });
    const { columns, rows, resultSets, ...facts } = readResult(reply);
    return {
      columns,
      rows: decodeRows<Row>({ columns, rows }, this.#options),
      ...facts,
      ...(resultSets && {
        resultSets: resultSets.map((set) => ({ columns: set.columns, rows: decodeRows(set, this.#options) })),
      }),
    };
  }
}

function readResult(reply: BrokerReply): Result {
  if (reply.status === 200) {
    const result = Result.safeParse(parseReply(reply));
    if (result.success) return result.data;
  }
  throw readFailure(reply) ?? unusableReply(reply.status, reply.requestId);
}
