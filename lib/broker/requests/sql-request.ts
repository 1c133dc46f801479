import type { CancelSignal } from '../../async/cancellation.ts';
import type { CallScope } from '../../async/interruptible.ts';
import { BrokerError, type BrokerErrorOptions } from '../../errors.ts';
import { resultTooLarge } from '../../mysql/errors.ts';
import type { ResultLimits, StatementResult } from '../../mysql/result/result-collector.ts';
import type { BoundStatement } from '../../mysql/sql/binding/bind.ts';
import type { Database } from '../databases/pool-registry.ts';
import type { Call } from '../http/call.ts';
import { deadlineOf } from './request-deadline.ts';

/** To microseconds: what a clock says beyond that is noise. */
export function roundMs(durationMs: number): number {
  return Math.round(durationMs * 1_000) / 1_000;
}

/** What a request that runs SQL brings: who asks, and for how long. */
export interface SqlRequest extends CallScope {
  readonly caller: string;
  readonly purpose: string;
  readonly signal: CancelSignal;
  /** The caller may only read: the server itself then refuses every write. */
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
 * Statements that administer run in a READ ONLY session too, so that they are not sent for a caller with read access.
 *
 * @throws {BrokerError} READ_ONLY_VIOLATION.
 */
export function refuseToReader({ caller }: Call, { onlyForWriters }: BoundStatement): void {
  if (onlyForWriters === undefined || caller?.access !== 'read') return;
  throw new BrokerError('READ_ONLY_VIOLATION', `A caller with read access may not run ${onlyForWriters}`);
}

/** A statement's own bound counts up to the alias's. */
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

/** The field that only a CALL with several sets has. */
function resultSets(sets: readonly Buffer[]): readonly Buffer[] {
  if (sets.length < 2) return [];
  return [Buffer.from(',"resultSets":['), joined(sets), Buffer.from(']')];
}

/** JSON values, one behind the other. */
export function joined(values: readonly Buffer[]): Buffer {
  const comma = Buffer.from(',');
  return Buffer.concat(values.flatMap((value, index) => (index === 0 ? [value] : [comma, value])));
}

/** All that is no row adds to the rows' bytes, which were counted as they came. */
export function refuseIfTooLarge(
  body: Buffer,
  { maxResultBytes: max, usedBytes = 0 }: ResultLimits,
  facts: Pick<BrokerErrorOptions, 'outcome' | 'transaction'>,
): void {
  const actual = usedBytes + body.length;
  if (actual <= max) return;
  throw resultTooLarge({ name: 'maxResultBytes', max, actual }, facts);
}
