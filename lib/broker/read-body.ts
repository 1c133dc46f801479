import type * as z from 'zod/mini';
import { BrokerError } from '../errors.ts';
import { describeProblems } from '../protocol/problems.ts';

/** The body of a request, checked. @throws {BrokerError} INVALID_REQUEST, naming every problem. */
export function readBody<Schema extends z.ZodMiniType>(schema: Schema, body: unknown): z.output<Schema> {
  const parsed = schema.safeParse(body);
  if (parsed.success) return parsed.data;
  const problems = describeProblems(parsed.error);
  throw new BrokerError('INVALID_REQUEST', problems.join('; '), { details: { problems } });
}
