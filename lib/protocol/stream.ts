import * as z from 'zod/mini';
import { FailureBody } from './failure.ts';
import { Column, Result } from './query.ts';

/** The `accept` type for a query whose rows are streamed, a JSON document on each line. */
export const STREAM_TYPE = 'application/x-ndjson';

/** The result of a statement whose rows were streamed. */
const StreamEnd = z.extend(z.omit(Result, { columns: true, rows: true, resultSets: true }), {
  rowCount: z.number(),
});

/**
 * A line of a stream: `columns` begins a set of rows (a CALL may yield several, a statement without rows has an empty
 * one), `rows` are some of them, `end` or `error` is last. A stream without such a last line was cut off.
 */
export const StreamLine = z.union([
  z.object({ columns: z.array(Column) }),
  z.object({ rows: z.array(z.array(z.unknown())) }),
  z.object({ end: StreamEnd }),
  FailureBody,
]);
export type StreamLine = z.infer<typeof StreamLine>;
