import * as z from 'zod/mini';
import { BrokerError } from '../errors.ts';
import { describeProblems } from '../protocol/problems.ts';
import { ALIAS } from '../protocol/routes.ts';

/** The alias of a database, as the broker's settings name it. */
export const Alias = z
  .string()
  .check(z.regex(ALIAS, 'must begin with a-z and go on with at most 62 of a-z, 0-9 and -'));

/** Below the longest time that a timer can hold. */
export const TimeoutMs = z.int().check(z.minimum(1), z.maximum(24 * 60 * 60 * 1000));

/** @throws {BrokerError} `INVALID_REQUEST` with a sentence for each problem. */
export function checkArguments<Schema extends z.ZodMiniType>(
  schema: Schema,
  given: unknown,
): z.output<Schema> {
  const checked = z.safeParse(schema, given);
  if (checked.success) return checked.data;
  throw new BrokerError('INVALID_REQUEST', describeProblems(checked.error).join('; '));
}
