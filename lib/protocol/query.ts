import * as z from 'zod/mini';
import { Params, StatementText } from './values.ts';

/** One SQL statement with its values. */
export const Statement = z.strictObject({
  sql: StatementText,
  params: z.optional(Params),
  /** Budget of the whole call in milliseconds; the alias's `queryTimeoutMs` is its upper bound. */
  timeoutMs: z.optional(z.int().check(z.minimum(1))),
  /** More rows than this are refused; the alias's `maxRows` is its upper bound. */
  maxRows: z.optional(z.int().check(z.minimum(1))),
});
export type Statement = z.infer<typeof Statement>;

/** The MySQL type of a column, as results name it. */
export const ColumnType = z.enum([
  'TINYINT',
  'SMALLINT',
  'MEDIUMINT',
  'INT',
  'BIGINT',
  'YEAR',
  'FLOAT',
  'DOUBLE',
  'DECIMAL',
  'DATE',
  'TIME',
  'DATETIME',
  'TIMESTAMP',
  'CHAR',
  'VARCHAR',
  'TEXT',
  'ENUM',
  'SET',
  'UUID',
  'INET4',
  'INET6',
  'BINARY',
  'VARBINARY',
  'BLOB',
  'GEOMETRY',
  'BIT',
  'VECTOR',
  'JSON',
  'NULL',
]);
export type ColumnType = z.infer<typeof ColumnType>;

export const Column = z.object({
  name: z.string(),
  type: ColumnType,
  unsigned: z.optional(z.boolean()),
  nullable: z.boolean(),
  /** In bytes, as MySQL reports it. */
  length: z.number(),
  /** Digits after the decimal point. */
  scale: z.optional(z.number()),
});
export type Column = z.infer<typeof Column>;

const rows = z.array(z.array(z.unknown()));

/** One set of rows; a CALL may yield several. */
export const ResultSet = z.object({ columns: z.array(Column), rows });
export type ResultSet = z.infer<typeof ResultSet>;

/** What a statement did. A statement without rows has no columns. */
export const Result = z.object({
  columns: z.array(Column),
  rows,
  /** Rows that matched. null if the server does not report it, as for `INSERT ... RETURNING`. */
  affectedRows: z.nullable(z.number()),
  /** Rows whose values changed. null if the server does not report it. */
  changedRows: z.nullable(z.number()),
  insertId: z.nullable(z.string()),
  /** null in a reply of an older broker. */
  warnings: z.nullable(z.number()),
  /** Time in MySQL. */
  durationMs: z.number(),
  /** Time in the queue for a connection. */
  queueMs: z.number(),
  /** Every set of rows of a CALL that yields several; `columns` and `rows` are the first. */
  resultSets: z.optional(z.array(ResultSet)),
  /** True in the stored answer of a repeat whose columns and rows were not kept. */
  rowsOmitted: z.optional(z.boolean()),
});
export type Result = z.infer<typeof Result>;
