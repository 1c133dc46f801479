import * as z from 'zod/mini';
import { Result, Statement } from './query.ts';
import { Params, SqlText } from './values.ts';

/** Of one transaction that is sent whole. */
export const MAX_STATEMENTS = 100;
/** Of one batch. */
export const MAX_PARAM_SETS = 1_000;

export const Isolation = z.enum(['read uncommitted', 'read committed', 'repeatable read', 'serializable']);
export type Isolation = z.infer<typeof Isolation>;

const terms = {
  /** Default: the session's. */
  isolation: z.optional(Isolation),
  /** The server then refuses every write. Callers with `read` access have no other. */
  readOnly: z.optional(z.boolean()),
};

/** How a transaction is to run. The body of a begin. */
export const TransactionTerms = z.strictObject(terms);
export type TransactionTerms = z.infer<typeof TransactionTerms>;

/** A statement of a transaction that is sent whole. */
export const TransactionStatement = z.extend(Statement, {
  /** What it must have done; else the transaction is rolled back. */
  expect: z.optional(z.strictObject({ affectedRows: z.int().check(z.minimum(0)) })),
});
export type TransactionStatement = z.infer<typeof TransactionStatement>;

/** A transaction that is sent whole: all of it is done, or nothing. */
export const Transaction = z.strictObject({
  statements: z.array(TransactionStatement).check(z.minLength(1), z.maxLength(MAX_STATEMENTS)),
  ...terms,
});
export type Transaction = z.infer<typeof Transaction>;

/** What the statements of a transaction did, in their order. */
export const TransactionResult = z.object({ results: z.array(Result) });
export type TransactionResult = z.infer<typeof TransactionResult>;

/** One statement, run once for each set of values. */
export const Batch = z.strictObject({
  sql: SqlText,
  paramSets: z.array(Params).check(z.minLength(1), z.maxLength(MAX_PARAM_SETS)),
});
export type Batch = z.infer<typeof Batch>;

/** What a batch did with each set of values, in their order. */
export const BatchResult = z.object({
  results: z.array(z.pick(Result, { affectedRows: true, changedRows: true, insertId: true })),
});
export type BatchResult = z.infer<typeof BatchResult>;

/** A transaction that was begun. */
export const BegunTransaction = z.object({
  /** In a path it stands for itself. */
  transactionId: z.string().check(z.regex(/^[A-Za-z0-9_-][A-Za-z0-9_.-]{0,127}$/)),
  /** It is rolled back after so long without a statement. */
  idleTimeoutMs: z.number(),
  /** It is rolled back at this moment at the latest; ISO 8601. */
  expiresAt: z.string(),
});
export type BegunTransaction = z.infer<typeof BegunTransaction>;

/** How a transaction was ended on request. */
export const EndedTransaction = z.object({ status: z.enum(['committed', 'rolled_back']) });
export type EndedTransaction = z.infer<typeof EndedTransaction>;
