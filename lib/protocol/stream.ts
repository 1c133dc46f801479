import * as z from 'zod/mini';
import { FailureBody } from './failure.ts';
import { Column, Result, Rows } from './query.ts';

/** What a statement did whose rows were streamed. */
const StreamEnd = z.extend(z.omit(Result, { columns: true, rows: true, resultSets: true }), {
  rowCount: z.number(),
});

/**
 * A line of a stream: `columns` begins a set of rows (a CALL may yield several, a statement without rows has an empty
 * one), `rows` are some of them, `end` or `error` is last. A stream without such a last line was cut off.
 */
export const StreamLine = z.union([
  z.object({ columns: z.array(Column) }),
  z.object({ rows: Rows }),
  z.object({ end: StreamEnd }),
  FailureBody,
]);
export type StreamLine = z.infer<typeof StreamLine>;
