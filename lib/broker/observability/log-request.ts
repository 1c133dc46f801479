import { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { Logger } from 'pino';
import type { BrokerError } from '../../errors.ts';
import { DEFAULT_SLOW_MS } from '../../settings/settings.ts';
import type { Call } from '../http/call.ts';
import { wasCutOff } from '../http/slow-readers.ts';
import { roundMs } from '../requests/sql-request.ts';
import { causeFactsOf, type Fault } from './fault.ts';

/** The status that web servers log for a client that hung up. */
const CALLER_GONE_STATUS = 499;

const DENIED: ReadonlySet<number> = new Set([401, 403]);

/**
 * Whether a call failed, was refused, was slow or is an admin's. A stream is slow if its first row comes late; its
 * duration depends on its reader.
 *
 * @param slowMs `statistics.slowMs` of its database, if it has one.
 */
export function isProblem(call: Call, slowMs = DEFAULT_SLOW_MS): boolean {
  if (call.code !== undefined || call.route?.access === 'admin') return true;
  return call.response.statusCode >= 400 || call.replyAfterMs > slowMs;
}

/**
 * Logs the line of a request: caller, route, times; never SQL, values or messages of MySQL.
 *
 * @param fault Why no connection could be opened for it, if that is so.
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

/** Logs a line for an incomplete or malformed request: its address, and nothing of what was sent. */
export function logRawReply(
  log: Logger,
  { code, httpStatus: status }: BrokerError,
  requestId: string,
  socket: Duplex,
): void {
  const address = socket instanceof Socket ? socket.remoteAddress : undefined;
  log.info({ reqId: requestId, status, code, address }, 'incomplete or malformed request');
}

/** Logs an audit line: who tried what, and whether it was allowed. */
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

/** 5xx is an error. Calls of routes without a key, as of health checks, are of little interest. */
function levelOf({ code, route }: Call, status: number): 'debug' | 'info' | 'error' {
  if (code !== undefined && status >= 500) return 'error';
  return route?.access === undefined && status < 500 ? 'debug' : 'info';
}
