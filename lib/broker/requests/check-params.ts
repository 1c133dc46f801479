import type * as z from 'zod/mini';
import { BrokerError } from '../../errors.ts';
import { tooManyValues } from '../../mysql/sql/binding/placeholder-values.ts';
import { MAX_PLACEHOLDERS } from '../../mysql/sql/statement-scan.ts';
import { describeProblems } from '../../protocol/problems.ts';
import { isBigintText, isDecimalText, isWellFormed, ListItem, Param, Params } from '../../protocol/values.ts';

/* A zod union describes every failure of every value. That is fine for a few values; many are checked by hand. */

const FEW_VALUES = 20;
const BASE64 = /^[A-Za-z0-9+/]*={0,2}$/;

/** Whether the schema may check them: they are few and simple. */
export function fitsSchema(params: unknown): boolean {
  if (typeof params !== 'object' || params === null) return true;
  const values: readonly unknown[] = Array.isArray(params) ? params : Object.values(params);
  return values.length <= FEW_VALUES && !values.some((value) => typeof value === 'object' && value !== null);
}

/**
 * Checks many values as their schema does, in a tenth of the time, up to the first bad one. The schema would describe
 * every bad value, which can take many seconds and gigabytes.
 *
 * @throws {BrokerError} INVALID_REQUEST.
 */
export function checkParams(params: unknown, path: readonly string[]): asserts params is Params {
  if (typeof params !== 'object' || params === null) throw refusalOf(Params, params, path);
  const isNamed = !Array.isArray(params);
  let values = 0;
  for (const key of isNamed ? Object.keys(params) : params.keys()) {
    const param: unknown = Reflect.get(params, key);
    values += 1;
    if (values > MAX_PLACEHOLDERS) throw tooManyValues('values or more', values);
    if (isNamed && !isWellFormed(String(key))) throw refusalOf(Params, { [key]: null }, path);
    if (isSimple(param) || isTagged(param, true)) continue;
    checkList(param, [...path, String(key)]);
  }
}

/** Checks a value that may be a list. */
function checkList(param: unknown, path: readonly string[]): void {
  const items: unknown =
    typeof param === 'object' && param !== null ? Reflect.get(param, '$list') : undefined;
  if (!Array.isArray(items) || items.length === 0) throw refusalOf(Param, param, path);
  for (const [index, item] of items.entries()) {
    if (index === MAX_PLACEHOLDERS) throw tooManyValues('values or more', index + 1);
    if (isSimple(item) || isTagged(item, false)) continue;
    throw refusalOf(ListItem, item, [...path, '$list', String(index)]);
  }
  if (onlyField(param) !== '$list') throw refusalOf(Param, { ...Object(param), $list: [null] }, path);
}

/** Allowed everywhere; most values are simple. */
function isSimple(value: unknown): boolean {
  if (typeof value === 'string') return isWellFormed(value);
  return value === null || typeof value === 'boolean' || Number.isFinite(value);
}

function isTagged(value: unknown, allowsDocument: boolean): boolean {
  const tag = onlyField(value);
  if (tag === undefined) return false;
  if (tag === '$json') return allowsDocument;
  const text: unknown = Reflect.get(Object(value), tag);
  if (typeof text !== 'string') return false;
  if (tag === '$bytes') return text.length % 4 === 0 && BASE64.test(text);
  return tag === '$bigint' ? isBigintText(text) : tag === '$decimal' && isDecimalText(text);
}

function onlyField(value: unknown): string | undefined {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
  const fields = Object.keys(value);
  return fields.length === 1 ? fields[0] : undefined;
}

function refusalOf(schema: z.ZodMiniType, value: unknown, path: readonly string[]): BrokerError {
  const parsed = schema.safeParse(value);
  const problems = parsed.success
    ? [`${path.join('.')} is not allowed`]
    : describeProblems(parsed.error, path);
  return new BrokerError('INVALID_REQUEST', problems.join('; '), { details: { problems } });
}
