import * as z from 'zod/mini';
import { FailureBody } from './failure.ts';
import { Column, Rows } from './query.ts';

/** A line of a streamed result: the columns, then rows by and by, then its end. Without an end it was cut off. */
export const StreamLine = z.union([
  z.object({ rows: Rows }),
  z.object({ columns: z.array(Column) }),
  z.object({ end: z.looseObject({}) }),
  FailureBody,
]);
export type StreamLine = z.infer<typeof StreamLine>;
