import { Deadline } from '../../async/deadline.ts';
import { BrokerError } from '../../errors.ts';
import { TIMEOUT_HEADER } from '../../protocol/routes.ts';
import type { Call } from '../http/call.ts';

/**
 * The moment by which a request must be answered: the least of its `x-timeout-ms` header, its `timeoutMs` and
 * the alias's limit, counted from its arrival.
 *
 * @throws {BrokerError} INVALID_REQUEST: the header is no whole number of milliseconds. DEADLINE_EXCEEDED: the
 *   request took all of its time to arrive.
 */
export function deadlineOf(call: Call, timeoutMs: number | undefined, limitMs: number): Deadline {
  const budgetMs = Math.min(headerTimeoutMs(call) ?? limitMs, timeoutMs ?? limitMs, limitMs);
  const deadline = new Deadline(call.arrivedAtMs + budgetMs);
  if (deadline.hasPassed) {
    throw new BrokerError('DEADLINE_EXCEEDED', `The request took all of its ${budgetMs} ms to arrive`);
  }
  return deadline;
}

function headerTimeoutMs({ headers }: Call): number | undefined {
  const text = headers[TIMEOUT_HEADER];
  if (text === undefined) return undefined;
  if (typeof text !== 'string' || !/^\d{1,10}$/.test(text) || Number(text) === 0) {
    throw new BrokerError(
      'INVALID_REQUEST',
      `${TIMEOUT_HEADER} must be a whole number of milliseconds, at least 1`,
    );
  }
  return Number(text);
}
