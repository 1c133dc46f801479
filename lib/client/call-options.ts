import * as z from 'zod/mini';
import { Isolation } from '../protocol/transaction.ts';
import { TimeoutMs } from './check-arguments.ts';

export interface CallOptions {
  /** Budget of this call in milliseconds, the wait for a connection included. The database's limit is its upper bound. */
  readonly timeoutMs?: number | undefined;
  /** When it is aborted, the statement is stopped on the server too, and the call rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
}

export interface StatementOptions extends CallOptions {
  /** More rows than this are refused. The database's limit is its upper bound, except for a stream. */
  readonly maxRows?: number | undefined;
}

export interface RetryOptions {
  /**
   * Send a write again, with the same idempotency key, when its reply was lost: it is done once. The database's settings
   * must have `idempotency`, and DDL cannot have a key. Default: that of {@link connect}.
   */
  readonly retryWrites?: boolean | undefined;
}

export interface QueryOptions extends StatementOptions, RetryOptions {}

export interface BatchOptions extends CallOptions, RetryOptions {}

export interface TransactionOptions extends CallOptions {
  /** Default: that of the database's sessions. */
  readonly isolation?: Isolation | undefined;
  /** The server refuses every write. */
  readonly readOnly?: boolean | undefined;
}

export interface StatementsOptions extends TransactionOptions, RetryOptions {}

const call = { timeoutMs: z.optional(TimeoutMs), signal: z.optional(z.instanceof(AbortSignal)) };
const statement = { ...call, maxRows: z.optional(z.int().check(z.minimum(1))) };
const retry = { retryWrites: z.optional(z.boolean()) };
const transaction = { ...call, isolation: z.optional(Isolation), readOnly: z.optional(z.boolean()) };

/** Options as callers give them: `checkArguments` names what is wrong as `options.field`. */
export const GivenOptions = {
  call: z.object({ options: z.strictObject(call) }),
  statement: z.object({ options: z.strictObject(statement) }),
  query: z.object({ options: z.strictObject({ ...statement, ...retry }) }),
  batch: z.object({ options: z.strictObject({ ...call, ...retry }) }),
  transaction: z.object({ options: z.strictObject(transaction) }),
  statements: z.object({ options: z.strictObject({ ...transaction, ...retry }) }),
};
