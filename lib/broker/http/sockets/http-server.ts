import { readFileSync } from 'node:fs';
import { createServer, type RequestListener, type Server } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { ServerSettings } from '../../../settings/process-settings.ts';
import { cutOffStalledReader } from '../slow-readers.ts';
import { type OnRawReply, refuseTunnel, replyToClientError } from './parser-errors.ts';
import { trackResponse } from './pipelined-responses.ts';

const HEADERS_TIMEOUT_MS = 10_000;
/** As for headers. Node's default is 120 s. */
const TLS_HANDSHAKE_TIMEOUT_MS = 10_000;
const MAX_HEADER_BYTES = 16_384;
/** Above a load balancer's 60 s for idle connections: the side that sends requests must close first. */
const KEEP_ALIVE_TIMEOUT_MS = 65_000;
/** How often Node checks for senders that are too slow. */
const SLOW_SENDER_CHECK_MS = 1_000;
const READER_STALL_MS = 20_000;

/** An HTTP or HTTPS server with bounds against slow, endless and too many senders, and against idle readers. */
export function createHttpServer(
  settings: ServerSettings,
  listener: RequestListener,
  onRawReply: OnRawReply,
  readerStallMs = READER_STALL_MS,
): Server {
  const bounds = {
    headersTimeout: Math.min(HEADERS_TIMEOUT_MS, settings.requestTimeoutMs),
    requestTimeout: settings.requestTimeoutMs,
    maxHeaderSize: MAX_HEADER_BYTES,
    keepAliveTimeout: KEEP_ALIVE_TIMEOUT_MS,
    connectionsCheckingInterval: SLOW_SENDER_CHECK_MS,
    // Node's own refusal has no body, and the broker does not need the header.
    requireHostHeader: false,
  };
  const readerLimits = { stallMs: readerStallMs, countsReadingSigns: false };
  const serve: RequestListener = (request, response) => {
    trackResponse(request, response);
    cutOffStalledReader(response, readerLimits);
    listener(request, response);
  };
  const { tls } = settings;
  const server =
    tls === undefined
      ? createServer(bounds, serve)
      : createTlsServer(
          {
            ...bounds,
            handshakeTimeout: Math.min(TLS_HANDSHAKE_TIMEOUT_MS, settings.requestTimeoutMs),
            cert: readFileSync(tls.cert),
            key: readFileSync(tls.key),
          },
          serve,
        );
  // Node's own answers to these have no body. `BodyReader` sends the 100 (Continue).
  server.on('checkContinue', serve);
  server.on('checkExpectation', serve);
  server.on('clientError', (error, socket) => replyToClientError(error, socket, onRawReply));
  server.on('connect', (request, socket) => refuseTunnel(request, socket, onRawReply));
  server.maxConnections = settings.maxConnections;
  return server;
}
