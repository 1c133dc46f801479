import type * as z from 'zod/mini';
import { BrokerError } from '../../errors.ts';
import { describeProblems } from '../../protocol/problems.ts';
import { Statement } from '../../protocol/query.ts';
import { Batch, MAX_PARAM_SETS, MAX_STATEMENTS, TransactionBody } from '../../protocol/transaction.ts';
import type { Params } from '../../protocol/values.ts';
import { checkParams, fitsSchema } from './check-params.ts';

/** The body of a request, checked. @throws {BrokerError} INVALID_REQUEST, naming every problem. */
export function readBody<Schema extends z.ZodMiniType>(schema: Schema, body: unknown): z.output<Schema> {
  const parsed = schema.safeParse(body);
  if (parsed.success) return parsed.data;
  throw invalid(describeProblems(parsed.error));
}

/** @throws {BrokerError} INVALID_REQUEST, like each function here. */
export function readStatement(body: unknown): Statement {
  const params = fieldOf(body, 'params');
  if (fitsSchema(params)) return readBody(Statement, body);
  checkParams(params, ['params']);
  return { ...readBody(Statement, withFields(body, { params: [] })), params };
}

export function readTransaction(body: unknown): TransactionBody {
  const statements = itemsOf(body, 'statements', MAX_STATEMENTS);
  const checked = new Map<number, Params>();
  const others = statements.map((statement, index) => {
    const params = fieldOf(statement, 'params');
    if (fitsSchema(params)) return statement;
    checkParams(params, ['statements', String(index), 'params']);
    checked.set(index, params);
    return withFields(statement, { params: [] });
  });
  if (checked.size === 0) return readBody(TransactionBody, body);
  const transaction = readBody(TransactionBody, withFields(body, { statements: others }));
  return {
    ...transaction,
    statements: transaction.statements.map((statement, index) => {
      const params = checked.get(index);
      return params === undefined ? statement : { ...statement, params };
    }),
  };
}

export function readBatch(body: unknown): Batch {
  const paramSets: Params[] = [];
  const others = itemsOf(body, 'paramSets', MAX_PARAM_SETS).map((params, index) => {
    if (typeof params !== 'object' || params === null) return params;
    checkParams(params, ['paramSets', String(index)]);
    paramSets.push(params);
    return [];
  });
  if (others.length === 0) return readBody(Batch, body);
  return { ...readBody(Batch, withFields(body, { paramSets: others })), paramSets };
}

/** The body with some fields replaced. */
function withFields(body: unknown, fields: object): unknown {
  return { ...Object(body), ...fields };
}

/** The items of an array field. @throws if there are too many to check each. */
function itemsOf(body: unknown, name: string, max: number): readonly unknown[] {
  const items = fieldOf(body, name);
  if (!Array.isArray(items)) return [];
  if (items.length > max) throw invalid([`${name} must be at most ${max} items`]);
  return items;
}

function fieldOf(body: unknown, name: string): unknown {
  return typeof body === 'object' && body !== null ? Reflect.get(body, name) : undefined;
}

function invalid(problems: readonly string[]): BrokerError {
  return new BrokerError('INVALID_REQUEST', problems.join('; '), { details: { problems } });
}
