import { BrokerError } from '../errors.ts';
import type { ServerConnectionLimit } from './connects/server-limit.ts';
import type { PoolOptions } from './pool-options.ts';
import type { PoolStats } from './pool-stats.ts';

/** The pool ends. */
export function drained(): BrokerError {
  return new BrokerError('DRAINING', 'The pool takes no more work');
}

/** One call more than the line takes. */
export function queueFull({ maxWaiting }: PoolOptions, stats: PoolStats, actual: number): BrokerError {
  const message = `The line takes no more calls: ${stats.waiting} wait, maxWaiting is ${maxWaiting}; ${usageOf(stats)}`;
  return new BrokerError('QUEUE_FULL', message, { limit: { name: 'maxWaiting', max: maxWaiting, actual } });
}

/** The caller's own deadline passed in line. */
export function deadlineExceeded(waitedMs: number): BrokerError {
  return new BrokerError('DEADLINE_EXCEEDED', `The deadline passed after ${Math.round(waitedMs)} ms in line`);
}

/**
 * The pool's own time for a wait passed. `connectFailure` is what connects fail with, if they do. `ownShare` are the
 * connections of a caller that may have no more.
 */
export function poolTimeout(
  stats: PoolStats,
  server: ServerConnectionLimit,
  waitedMs: number,
  connectFailure: unknown,
  ownShare: number | undefined,
): BrokerError {
  const { size, maxOverflow, waiting } = stats;
  const waited = Math.round(waitedMs);
  const cause = obstacleOf(stats, server, connectFailure, ownShare);
  return new BrokerError(
    'POOL_TIMEOUT',
    `No connection came free within ${waited} ms: ${usageOf(stats)}; ${waiting} more callers wait`,
    {
      cause,
      reason: cause instanceof Error ? cause.message : undefined,
      details: { size, maxOverflow, waitedMs: waited, waiting },
    },
  );
}

/** Each connection is counted once: in use, logging in, closing, or between two uses. */
function usageOf(stats: PoolStats): string {
  const { size, maxOverflow, connections, checkedOut, opening, closing } = stats;
  const free = connections - checkedOut - opening - closing;
  const parts = [
    `${checkedOut} in use`,
    ...(opening > 0 ? [`${opening} logging in`] : []),
    ...(free > 0 ? [`${free} idle or being checked or reset`] : []),
    ...(closing > 0 ? [`${closing} closing`] : []),
  ];
  return `of size ${size} and overflow ${maxOverflow}, ${parts.join(', ')}`;
}

/** What keeps the pool from giving out one more, besides the use that is made of it. */
function obstacleOf(
  stats: PoolStats,
  { free, maxConnections }: ServerConnectionLimit,
  connectFailure: unknown,
  ownShare: number | undefined,
): unknown {
  if (stats.paused) return new Error('The pool is paused');
  if (connectFailure !== undefined) return connectFailure;
  if (ownShare !== undefined) {
    return new Error(`This caller has ${ownShare} of them, and the last one is for other callers`);
  }
  if (stats.connections >= stats.size + stats.maxOverflow && stats.opening === 0) return undefined;
  if (stats.opening > 0) return new Error(`Logins that have not ended yet: ${stats.opening}`);
  if (free <= 0) return new Error(`The ${maxConnections} connections that its server may have are in use`);
  return undefined;
}
