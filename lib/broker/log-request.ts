import { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { FastifyBaseLogger, FastifyReply, FastifyRequest } from 'fastify';
import type { BrokerError } from '../errors.ts';
import { callOf } from './call.ts';
import { roundMs } from './round-ms.ts';

/** What web servers log for a caller that did not wait for its reply. */
const CALLER_GONE_STATUS = 499;

const DENIED: ReadonlySet<number> = new Set([401, 403]);

/** One line a request. It names who, what and how long; never SQL, values or MySQL's messages. */
export function logRequest(request: FastifyRequest, reply: FastifyReply): void {
  const call = callOf(request);
  const { access } = request.routeOptions.config;
  const status = call.code === 'CALLER_GONE' ? CALLER_GONE_STATUS : reply.statusCode;
  const line = {
    reqId: request.id,
    method: request.method,
    route: request.routeOptions.url,
    status,
    caller: call.caller?.name,
    database: call.alias,
    code: call.code,
    forwardedTo: call.forwardedTo,
    queueMs: rounded(call.queueMs),
    durationMs: rounded(call.durationMs),
    totalMs: rounded(performance.now() - call.arrivedAtMs),
  };
  if (access === undefined && status < 500) request.log.debug(line, 'request');
  else request.log.info(line, 'request');
  if (access === 'admin' || DENIED.has(status)) audit(request, status);
}

/** A line for what was answered before it was a whole request. It names whence that came, and nothing of what was sent. */
export function logRawReply(
  log: FastifyBaseLogger,
  { code, httpStatus: status }: BrokerError,
  requestId: string,
  socket: Duplex,
): void {
  const address = socket instanceof Socket ? socket.remoteAddress : undefined;
  log.info({ reqId: requestId, status, code, address }, 'no whole request');
}

/** What an auditor asks for: who tried what, and whether it was allowed. */
function audit(request: FastifyRequest, status: number): void {
  const { caller, code } = callOf(request);
  request.log.info(
    {
      reqId: request.id,
      audit: DENIED.has(status) ? 'denied' : 'admin',
      caller: caller?.name,
      action: `${request.method} ${request.url.split('?')[0]}`,
      status,
      code,
      address: request.ip,
    },
    'audit',
  );
}

function rounded(durationMs: number | undefined): number | undefined {
  return durationMs === undefined ? undefined : roundMs(durationMs);
}
