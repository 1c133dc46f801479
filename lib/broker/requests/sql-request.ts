import type { CancelSignal } from '../../async/cancellation.ts';
import type { CallScope } from '../../async/interruptible.ts';
import { BrokerError, type BrokerErrorOptions } from '../../errors.ts';
import { resultTooLarge } from '../../mysql/errors.ts';
import type { ResultLimits, StatementResult } from '../../mysql/result/result-collector.ts';
import type { BoundStatement } from '../../mysql/sql/binding/bind.ts';
import type { Database } from '../databases/pool-registry.ts';
import type { Call } from '../http/call.ts';
import { deadlineOf } from './request-deadline.ts';

/** Rounds to microseconds. */
export function roundMs(durationMs: number): number {
  return Math.round(durationMs * 1_000) / 1_000;
}

/** The caller and the deadline of a request that runs SQL. */
export interface SqlRequest extends CallScope {
  readonly caller: string;
  readonly purpose: string;
  readonly signal: CancelSignal;
  /** The caller has read access: the server itself then refuses every write. */
  readonly isReadOnly: boolean;
}

/** @throws {BrokerError} as `deadlineOf` does. */
export function sqlRequestOf(call: Call, { settings }: Database, timeoutMs?: number): SqlRequest {
  const { caller, gone } = call;
  return {
    caller: caller?.name ?? '',
    purpose: call.id,
    deadline: deadlineOf(call, timeoutMs, settings.limits.queryTimeoutMs),
    signal: gone,
    isReadOnly: caller?.access === 'read',
  };
}

/**
 * Refuses administrative statements of a caller with read access: a READ ONLY session does not prevent them.
 *
 * @throws {BrokerError} READ_ONLY_VIOLATION.
 */
export function refuseWithoutWriteAccess({ caller }: Call, { needsWriteAccess }: BoundStatement): void {
  if (needsWriteAccess === undefined || caller?.access !== 'read') return;
  throw new BrokerError('READ_ONLY_VIOLATION', `A caller with read access may not run ${needsWriteAccess}`);
}

/** `maxRows` is the statement's own; the alias's is its upper bound. */
export function limitsOf(
  { held: memory }: Call,
  { settings: { limits } }: Database,
  maxRows: number = limits.maxRows,
  usedBytes = 0,
): ResultLimits {
  return {
    maxRows: Math.min(maxRows, limits.maxRows),
    maxResultBytes: limits.maxResultBytes,
    usedBytes,
    memory,
  };
}

const NO_SET = Buffer.from('{"columns":[],"rows":[]}');

/** A statement's result as the JSON that callers get. */
export function resultJson(
  { sets, affectedRows, changedRows, insertId, warnings }: StatementResult,
  durationMs: number,
  queueMs: number,
): Buffer {
  const [first = NO_SET] = sets;
  const times = { durationMs: roundMs(durationMs), queueMs: roundMs(queueMs) };
  const rest = JSON.stringify({ affectedRows, changedRows, insertId, warnings, ...times }).slice(1);
  return Buffer.concat([first.subarray(0, -1), ...resultSets(sets), Buffer.from(`,${rest}`)]);
}

/** `resultSets`, if there are several. */
function resultSets(sets: readonly Buffer[]): readonly Buffer[] {
  if (sets.length < 2) return [];
  return [Buffer.from(',"resultSets":['), joined(sets), Buffer.from(']')];
}

/** JSON values, separated by commas. */
export function joined(values: readonly Buffer[]): Buffer {
  const comma = Buffer.from(',');
  return Buffer.concat(values.flatMap((value, index) => (index === 0 ? [value] : [comma, value])));
}

/** Rows were counted as they arrived; this checks the complete reply. */
export function refuseIfTooLarge(
  body: Buffer,
  { maxResultBytes: max, usedBytes = 0 }: ResultLimits,
  facts: Pick<BrokerErrorOptions, 'outcome' | 'transaction'>,
): void {
  const actual = usedBytes + body.length;
  if (actual <= max) return;
  throw resultTooLarge({ name: 'maxResultBytes', max, actual }, facts);
}
