import { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { Logger } from 'pino';
import type { BrokerError } from '../../errors.ts';
import { DEFAULT_SLOW_MS } from '../../settings/settings.ts';
import type { Call } from '../http/call.ts';
import { wasCutOff } from '../http/slow-readers.ts';
import { roundMs } from '../requests/sql-request.ts';
import { causeFactsOf, type Fault } from './fault.ts';

/** What web servers log for a caller that did not wait for its reply. */
const CALLER_GONE_STATUS = 499;

const DENIED: ReadonlySet<number> = new Set([401, 403]);

/**
 * Whether a call failed, was refused, was slow or is an admin's. A stream is slow if its first row comes late: how
 * long it lasts is up to who reads it.
 *
 * @param slowMs `statistics.slowMs` of its database, if it is about one.
 */
export function isProblem(call: Call, slowMs = DEFAULT_SLOW_MS): boolean {
  if (call.code !== undefined || call.route?.access === 'admin') return true;
  return call.response.statusCode >= 400 || call.replyAfterMs > slowMs;
}

/**
 * The line of a request. It names who, what and how long; never SQL, values or MySQL's messages.
 *
 * @param fault Why no connection could be had for it, if that is so.
 */
export function logRequest(call: Call, fault?: Fault): void {
  const status = call.code === 'CALLER_GONE' ? CALLER_GONE_STATUS : call.response.statusCode;
  const line = {
    reqId: call.id,
    method: call.request.method,
    route: call.routePath,
    status,
    caller: call.caller?.name,
    database: call.alias,
    code: call.code,
    ...(call.failure && causeFactsOf(call.failure, fault)),
    reason: status === CALLER_GONE_STATUS && wasCutOff(call.response) ? 'stalled' : undefined,
    forwardedTo: call.forwardedTo,
    queueMs: roundMs(call.queueMs),
    durationMs: roundMs(call.durationMs),
    totalMs: roundMs(performance.now() - call.arrivedAtMs),
  };
  call.log[levelOf(call, status)](line, 'request');
  if (call.route?.access === 'admin' || DENIED.has(status)) audit(call, status);
}

/** A line for what was answered before it was a whole request. It names whence that came, and nothing of what was sent. */
export function logRawReply(
  log: Logger,
  { code, httpStatus: status }: BrokerError,
  requestId: string,
  socket: Duplex,
): void {
  const address = socket instanceof Socket ? socket.remoteAddress : undefined;
  log.info({ reqId: requestId, status, code, address }, 'no whole request');
}

/** What an auditor asks for: who tried what, and whether it was allowed. */
function audit({ id, request, log, caller, code }: Call, status: number): void {
  log.info(
    {
      reqId: id,
      audit: DENIED.has(status) ? 'denied' : 'admin',
      caller: caller?.name,
      action: `${request.method} ${request.url?.split('?')[0]}`,
      status,
      code,
      address: request.socket.remoteAddress,
    },
    'audit',
  );
}

/** What no caller did wrong is an error, and what nobody but a health check asked is of no interest. */
function levelOf({ code, route }: Call, status: number): 'debug' | 'info' | 'error' {
  if (code !== undefined && status >= 500) return 'error';
  return route?.access === undefined && status < 500 ? 'debug' : 'info';
}
