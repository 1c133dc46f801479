import { BrokerError } from '../errors.ts';
import type { PoolOptions } from './pool-options.ts';
import type { ServerCap } from './server-cap.ts';

/** One call more than the line takes. */
export function queueFull({ maxWaiting }: PoolOptions, actual: number): BrokerError {
  return new BrokerError('QUEUE_FULL', `${maxWaiting} callers are in line for a connection already`, {
    limit: { name: 'maxWaiting', max: maxWaiting, actual },
  });
}

/** The caller's own deadline passed in line. */
export function deadlineExceeded(waitedMs: number): BrokerError {
  return new BrokerError('DEADLINE_EXCEEDED', `The deadline passed after ${Math.round(waitedMs)} ms in line`);
}

/** What keeps a pool from growing whose server bears no more, if that is so. */
export function serverExhausted({ free, maxConnections }: ServerCap): Error | undefined {
  if (free > 0) return undefined;
  return new Error(`The ${maxConnections} connections that its server may have are in use`);
}

/** The pool's own time for a wait passed. `cause` is what keeps connections from being opened, if something does. */
export function poolTimeout(
  { size, maxOverflow }: PoolOptions,
  waitedMs: number,
  waiting: number,
  cause: unknown,
): BrokerError {
  const waited = Math.round(waitedMs);
  return new BrokerError(
    'POOL_TIMEOUT',
    `No connection came free within ${waited} ms: size ${size} and overflow ${maxOverflow} are in use, ${waiting} more callers wait`,
    {
      cause,
      reason: cause instanceof Error ? cause.message : undefined,
      details: { size, maxOverflow, waitedMs: waited, waiting },
    },
  );
}
