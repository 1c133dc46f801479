import * as z from 'zod';
import { STREAM_TYPE } from '../../protocol/stream.ts';

/* Bodies by the schemas that check them, as OpenAPI describes them. */

export function json(schema: string) {
  return { 'application/json': { schema: reference(schema) } };
}

/** OpenAPI 3.1 knows no schema for a sequence: this one is of each line. */
export function lines(schema: string) {
  return { [STREAM_TYPE]: { schema: reference(schema) } };
}

function reference(schema: string) {
  return { $ref: `#/components/schemas/${schema}` };
}

export function jsonSchema(schema: z.core.$ZodType, io: 'input' | 'output') {
  const { $schema: _, ...plain } = z.toJSONSchema(schema, { io, target: 'draft-2020-12' });
  return plain;
}
