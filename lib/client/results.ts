import type * as z from 'zod/mini';
import { BrokerError, type Outcome } from '../errors.ts';
import { type Column, Result } from '../protocol/query.ts';
import { BatchResult, TransactionResult } from '../protocol/transaction.ts';
import { decodeRows, type RowOptions } from './rows.ts';
import { type BrokerReply, parseReply, readFailure, unusableReply } from './transport/broker-reply.ts';

/** What a statement changed. */
export interface Changes {
  /** Rows that matched. null if the server does not report it, as for `INSERT ... RETURNING`. */
  readonly affectedRows: number | null;
  /** Rows whose values changed. null if the server does not report it. */
  readonly changedRows: number | null;
  /** The first generated AUTO_INCREMENT value as digits, since it may exceed 2^53; null if there is none. */
  readonly insertId: string | null;
}

export interface QueryResult<Row> extends Changes {
  readonly columns: readonly Column[];
  readonly rows: Row[];
  /** null in a reply of an older broker. */
  readonly warnings: number | null;
  /** Time in MySQL, in milliseconds. */
  readonly durationMs: number;
  /** Time in the queue for a connection, in milliseconds. */
  readonly queueMs: number;
  /** Every set of rows of a CALL that yields several; `columns` and `rows` are the first. */
  readonly resultSets?: readonly { readonly columns: readonly Column[]; readonly rows: unknown[] }[];
}

/** @throws {BrokerError} the failure in the reply; `BROKER_UNREACHABLE` if it is not the protocol's. */
export function readSuccess<Schema extends z.ZodMiniType>(
  schema: Schema,
  reply: BrokerReply,
): z.output<Schema> {
  if (reply.status === 200 || reply.status === 201) {
    const success = schema.safeParse(parseReply(reply));
    if (success.success) return success.data;
  }
  throw readFailure(reply) ?? unusableReply(reply.status, reply.requestId);
}

/** @param outcome of the statement, for rows that do not fit the options. */
export function readResult<Row extends object>(
  reply: BrokerReply,
  options: RowOptions,
  outcome: Outcome,
): QueryResult<Row> {
  const result = readSuccess(Result, reply);
  return withOutcome(outcome, () => decodeResult<Row>(result, options));
}

export function readResults<Row extends object>(
  reply: BrokerReply,
  options: RowOptions,
  outcome: Outcome,
): QueryResult<Row>[] {
  const { results } = readSuccess(TransactionResult, reply);
  return withOutcome(outcome, () => results.map((result) => decodeResult<Row>(result, options)));
}

export function readChanges(reply: BrokerReply): Changes[] {
  return readSuccess(BatchResult, reply).results;
}

function decodeResult<Row extends object>(result: Result, options: RowOptions): QueryResult<Row> {
  const { columns, rows, resultSets, ...facts } = result;
  return {
    columns,
    rows: decodeRows<Row>({ columns, rows }, options),
    ...facts,
    ...(resultSets && {
      resultSets: resultSets.map((set) => ({ columns: set.columns, rows: decodeRows(set, options) })),
    }),
  };
}

/** Adds the statement's outcome to a failure to decode its rows. */
export function withOutcome<T>(outcome: Outcome, decode: () => T): T {
  try {
    return decode();
  } catch (error) {
    throw error instanceof BrokerError ? error.with({ outcome }) : error;
  }
}
