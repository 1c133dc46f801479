import type * as z from 'zod/mini';
import { BrokerError } from '../errors.ts';
import { tooManyValues } from '../mysql/placeholder-values.ts';
import { MAX_PLACEHOLDERS } from '../mysql/statement-scan.ts';
import { describeProblems } from '../protocol/problems.ts';
import { Statement } from '../protocol/query.ts';
import { Batch, MAX_PARAM_SETS, MAX_STATEMENTS, Transaction } from '../protocol/transaction.ts';
import { ListItem, Param } from '../protocol/values.ts';

const FEW_VALUES = 20;

/** The body of a request, checked. @throws {BrokerError} INVALID_REQUEST, naming every problem. */
export function readBody<Schema extends z.ZodMiniType>(schema: Schema, body: unknown): z.output<Schema> {
  const parsed = schema.safeParse(body);
  if (parsed.success) return parsed.data;
  throw invalid(describeProblems(parsed.error));
}

/** @throws {BrokerError} INVALID_REQUEST, as for all of these. */
export function readStatement(body: unknown): Statement {
  const params = fieldOf(body, 'params');
  if (!areFew(params)) refuseBadParams(params, ['params']);
  return readBody(Statement, body);
}

export function readTransaction(body: unknown): Transaction {
  for (const [index, statement] of itemsOf(body, 'statements', MAX_STATEMENTS).entries()) {
    refuseBadParams(fieldOf(statement, 'params'), ['statements', String(index), 'params']);
  }
  return readBody(Transaction, body);
}

export function readBatch(body: unknown): Batch {
  for (const [index, params] of itemsOf(body, 'paramSets', MAX_PARAM_SETS).entries()) {
    refuseBadParams(params, ['paramSets', String(index)]);
  }
  return readBody(Batch, body);
}

/** The items of an array, unless they are too many to be looked at one by one. */
function itemsOf(body: unknown, name: string, max: number): readonly unknown[] {
  const items = fieldOf(body, name);
  if (!Array.isArray(items)) return [];
  if (items.length > max) throw invalid([`${name} must be at most ${max} items`]);
  return items;
}

function fieldOf(body: unknown, name: string): unknown {
  return typeof body === 'object' && body !== null ? Reflect.get(body, name) : undefined;
}

/** Then they can be described without harm. */
function areFew(params: unknown): boolean {
  if (typeof params !== 'object' || params === null) return true;
  const values: readonly unknown[] = Array.isArray(params) ? params : Object.values(params);
  return values.length <= FEW_VALUES && !values.some((value) => typeof value === 'object' && value !== null);
}

/**
 * Refuses the first bad value among `params`. A body of bad values only would else have every one of them described,
 * in many seconds and gigabytes.
 */
function refuseBadParams(params: unknown, path: readonly string[]): void {
  if (typeof params !== 'object' || params === null) return;
  let values = 0;
  for (const key of Array.isArray(params) ? params.keys() : Object.keys(params)) {
    const param: unknown = Reflect.get(params, key);
    values += 1;
    if (values > MAX_PLACEHOLDERS) throw tooManyValues('values or more', values);
    if (isSimple(param)) continue;
    refuseBadItems(param, [...path, String(key)]);
    refuseBad(Param, param, [...path, String(key)]);
  }
}

/** The same for the values of a list. */
function refuseBadItems(param: unknown, path: readonly string[]): void {
  if (typeof param !== 'object' || param === null || !('$list' in param) || !Array.isArray(param.$list))
    return;
  for (const [index, item] of param.$list.entries()) {
    if (index === MAX_PLACEHOLDERS) throw tooManyValues('values or more', index + 1);
    if (isSimple(item)) continue;
    refuseBad(ListItem, item, [...path, '$list', String(index)]);
  }
}

/** What every place takes; most values are such, and checking each by its schema takes long where they are many. */
function isSimple(value: unknown): boolean {
  if (typeof value === 'string') return !/\p{Surrogate}/u.test(value);
  return value === null || typeof value === 'boolean' || Number.isFinite(value);
}

function refuseBad(schema: z.ZodMiniType, value: unknown, path: readonly string[]): void {
  const parsed = schema.safeParse(value);
  if (!parsed.success) throw invalid(describeProblems(parsed.error, path));
}

function invalid(problems: readonly string[]): BrokerError {
  return new BrokerError('INVALID_REQUEST', problems.join('; '), { details: { problems } });
}
