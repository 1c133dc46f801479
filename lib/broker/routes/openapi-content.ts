import * as z from 'zod';
import { ROTATION_STEPS } from '../../protocol/rotation.ts';
import { IDEMPOTENCY_HEADER, REQUEST_ID_HEADER, TIMEOUT_HEADER } from '../../protocol/routes.ts';
import { STREAM_TYPE } from '../../protocol/stream.ts';

/* Bodies, parameters and headers, as OpenAPI describes them. */

export function jsonContent(schema: string) {
  return { 'application/json': { schema: reference(schema) } };
}

/** OpenAPI 3.1 has no schema for a sequence: this one describes each line. */
export function ndjsonContent(schema: string) {
  return { [STREAM_TYPE]: { schema: reference(schema) } };
}

function reference(schema: string) {
  return { $ref: `#/components/schemas/${schema}` };
}

export function jsonSchema(schema: z.core.$ZodType, io: 'input' | 'output') {
  const { $schema: _, ...plain } = z.toJSONSchema(schema, { io, target: 'draft-2020-12' });
  return plain;
}

export const aliasParameter = { name: 'alias', in: 'path', required: true, schema: { type: 'string' } };
export const transactionParameter = { name: 'id', in: 'path', required: true, schema: { type: 'string' } };
export const stepParameter = { name: 'step', in: 'path', required: true, schema: { enum: ROTATION_STEPS } };
export const timeoutParameter = {
  name: TIMEOUT_HEADER,
  in: 'header',
  required: false,
  description: "What is left of the caller's own budget, in milliseconds.",
  schema: { type: 'integer', minimum: 1 },
};
export const requestIdParameter = {
  name: REQUEST_ID_HEADER,
  in: 'header',
  required: false,
  description: 'Echoed in the reply and named in the log.',
  schema: { type: 'string', pattern: '^[A-Za-z0-9._-]{1,128}$' },
};

export const keyParameter = {
  name: IDEMPOTENCY_HEADER,
  in: 'header',
  required: false,
  description: 'The request is done once, however often it is sent with this key.',
  schema: { type: 'string', pattern: '^[A-Za-z0-9._-]{1,128}$' },
};
export const replayHeader = {
  description: 'This is what an earlier request with the same key was answered.',
  schema: { const: 'true' },
};
