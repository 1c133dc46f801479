import type { FastifyReply, FastifyRequest } from 'fastify';
import type { BrokerErrorOptions } from '../errors.ts';
import { resultTooLarge } from '../mysql/failure.ts';
import type { Watched } from '../mysql/interrupt.ts';
import type { ResultLimits, StatementResult } from '../mysql/result-collector.ts';
import { callOf } from './call.ts';
import { deadlineOf, signalOf } from './deadlines.ts';
import type { Database } from './pool-registry.ts';
import { roundMs } from './round-ms.ts';

/** What a request that runs SQL brings: who asks, and for how long. */
export interface SqlCall extends Watched {
  readonly caller: string;
  readonly purpose: string;
  readonly signal: AbortSignal;
  /** The caller may only read: the server itself then refuses every write. */
  readonly isReadOnly: boolean;
}

/** @throws {BrokerError} as `deadlineOf` does. */
export function sqlCallOf(
  request: FastifyRequest,
  reply: FastifyReply,
  { settings }: Database,
  timeoutMs?: number,
): SqlCall {
  const { caller } = callOf(request);
  return {
    caller: caller?.name ?? '',
    purpose: request.id,
    deadline: deadlineOf(request, timeoutMs, settings.limits.queryTimeoutMs),
    signal: signalOf(reply),
    isReadOnly: caller?.access === 'read',
  };
}

/** A statement's own bound counts up to the alias's. */
export function limitsOf(
  { settings: { limits } }: Database,
  maxRows: number = limits.maxRows,
  usedBytes = 0,
): ResultLimits {
  return {
    maxRows: Math.min(maxRows, limits.maxRows),
    maxResultBytes: limits.maxResultBytes,
    usedBytes,
  };
}

/** A statement's result as the JSON that callers get. */
export function resultJson(result: StatementResult, durationMs: number, queueMs: number): string {
  return JSON.stringify({ ...result, durationMs: roundMs(durationMs), queueMs: roundMs(queueMs) });
}

/** The rows were counted as MySQL sent them; as JSON they can have grown. */
export function refuseIfTooLarge(
  body: string,
  { maxResultBytes: max, usedBytes = 0 }: ResultLimits,
  facts: Pick<BrokerErrorOptions, 'outcome' | 'transaction'>,
): void {
  const actual = usedBytes + Buffer.byteLength(body);
  if (actual <= max) return;
  throw resultTooLarge({ name: 'maxResultBytes', max, actual }, facts);
}
