import { readFileSync } from 'node:fs';
import { createServer, type RequestListener, type Server } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { ServerSettings } from '../../../settings/settings.ts';
import { cutOffStalledReader } from '../slow-readers.ts';
import { type OnRawReply, refuseTunnel, replyToClientError } from './parser-errors.ts';
import { trackOwedReply } from './pipelined-responses.ts';

const HEADERS_TIMEOUT_MS = 10_000;
/** As for headers. Node's own is 120 s. */
const TLS_HANDSHAKE_TIMEOUT_MS = 10_000;
const MAX_HEADER_BYTES = 16_384;
/** Above the 60 s after which a load balancer lets an idle connection go: the side that sends must do so first. */
const KEEP_ALIVE_TIMEOUT_MS = 65_000;
/** How often Node looks for senders that are too slow. */
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
    // Node's own refusal has no body. Nothing here depends on the header.
    requireHostHeader: false,
  };
  const readerTerms = { stallMs: readerStallMs, heedsSigns: false };
  const serve: RequestListener = (request, response) => {
    trackOwedReply(request, response);
    cutOffStalledReader(response, readerTerms);
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
  // Node's own answers to these are empty. That to a caller who waits for 100 is for the reader of the body to give.
  server.on('checkContinue', serve);
  server.on('checkExpectation', serve);
  server.on('clientError', (error, socket) => replyToClientError(error, socket, onRawReply));
  server.on('connect', (request, socket) => refuseTunnel(request, socket, onRawReply));
  server.maxConnections = settings.maxConnections;
  return server;
}
