import * as z from 'zod/mini';
import { Result, Statement } from './query.ts';
import { Params, StatementText } from './values.ts';

/** Most statements of a transaction in one request. */
export const MAX_STATEMENTS = 100;
/** Most sets of values of one batch. */
export const MAX_PARAM_SETS = 1_000;

export const Isolation = z.enum(['read uncommitted', 'read committed', 'repeatable read', 'serializable']);
export type Isolation = z.infer<typeof Isolation>;

const terms = {
  /** Default: the session's. */
  isolation: z.optional(Isolation),
  /** The server then refuses every write. Callers with `read` access have no other. */
  readOnly: z.optional(z.boolean()),
};

/** How a transaction runs. The body of a begin. */
export const TransactionTerms = z.strictObject(terms);
export type TransactionTerms = z.infer<typeof TransactionTerms>;

/** A statement of a transaction in one request. */
export const TransactionStatement = z.extend(Statement, {
  /** If it affects another number of rows, the transaction is rolled back. */
  expect: z.optional(z.strictObject({ affectedRows: z.int().check(z.minimum(0)) })),
});
export type TransactionStatement = z.infer<typeof TransactionStatement>;

/** The body of a transaction in one request: all or nothing. */
export const TransactionBody = z.strictObject({
  statements: z.array(TransactionStatement).check(z.minLength(1), z.maxLength(MAX_STATEMENTS)),
  ...terms,
});
export type TransactionBody = z.infer<typeof TransactionBody>;

/** The results of a transaction's statements, in their order. */
export const TransactionResult = z.object({ results: z.array(Result) });
export type TransactionResult = z.infer<typeof TransactionResult>;

/** One statement, run once for each set of values. */
export const Batch = z.strictObject({
  sql: StatementText,
  paramSets: z.array(Params).check(z.minLength(1), z.maxLength(MAX_PARAM_SETS)),
});
export type Batch = z.infer<typeof Batch>;

/** The results of a batch for each set of values, in their order. */
export const BatchResult = z.object({
  results: z.array(z.pick(Result, { affectedRows: true, changedRows: true, insertId: true })),
});
export type BatchResult = z.infer<typeof BatchResult>;

/** A transaction that was begun. */
export const BegunTransaction = z.object({
  /** It needs no escaping in a path. */
  transactionId: z.string().check(z.regex(/^[A-Za-z0-9_-][A-Za-z0-9_.-]{0,127}$/)),
  /** It is rolled back after this time without a statement. */
  idleTimeoutMs: z.number(),
  /** It is rolled back at this moment at the latest; ISO 8601. */
  expiresAt: z.string(),
});
export type BegunTransaction = z.infer<typeof BegunTransaction>;

/** How a transaction was ended on request. */
export const EndedTransaction = z.object({ status: z.enum(['committed', 'rolled_back']) });
export type EndedTransaction = z.infer<typeof EndedTransaction>;
