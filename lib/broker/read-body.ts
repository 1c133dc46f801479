import type * as z from 'zod/mini';
import { BrokerError } from '../errors.ts';
import { describeProblems } from '../protocol/problems.ts';
import { ListItem, Param } from '../protocol/values.ts';

/** The body of a request, checked. @throws {BrokerError} INVALID_REQUEST, naming every problem. */
export function readBody<Schema extends z.ZodMiniType>(schema: Schema, body: unknown): z.output<Schema> {
  const parsed = schema.safeParse(body);
  if (parsed.success) return parsed.data;
  throw invalid(describeProblems(parsed.error));
}

/**
 * Refuses the first bad value among `params`. A body of bad values only would else have every one of them described,
 * in many seconds and gigabytes.
 */
export function refuseBadParams(body: unknown): void {
  if (typeof body !== 'object' || body === null || !('params' in body)) return;
  const { params } = body;
  if (typeof params !== 'object' || params === null) return;
  for (const key in params) {
    const param: unknown = Reflect.get(params, key);
    refuseBadItems(param, ['params', key]);
    refuseBad(Param, param, ['params', key]);
  }
}

/** The same for the values of a list. */
function refuseBadItems(param: unknown, path: readonly string[]): void {
  if (typeof param !== 'object' || param === null || !('$list' in param) || !Array.isArray(param.$list))
    return;
  for (const [index, item] of param.$list.entries())
    refuseBad(ListItem, item, [...path, '$list', String(index)]);
}

function refuseBad(schema: z.ZodMiniType, value: unknown, path: readonly string[]): void {
  const parsed = schema.safeParse(value);
  if (!parsed.success) throw invalid(describeProblems(parsed.error, path));
}

function invalid(problems: readonly string[]): BrokerError {
  return new BrokerError('INVALID_REQUEST', problems.join('; '), { details: { problems } });
}
