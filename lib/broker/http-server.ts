import { readFileSync } from 'node:fs';
import { createServer, type RequestListener, type Server } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { ServerSettings } from '../settings/settings.ts';

const HEADERS_TIMEOUT_MS = 10_000;
const MAX_HEADER_BYTES = 16_384;
/** Above the 60 s after which a load balancer lets an idle connection go: the side that sends must do so first. */
const KEEP_ALIVE_TIMEOUT_MS = 65_000;
/** How often Node looks for senders that are too slow. */
const SLOW_SENDER_CHECK_MS = 1_000;

/** An HTTP or HTTPS server with bounds against slow, endless and too many senders. */
export function createHttpServer(settings: ServerSettings, listener: RequestListener): Server {
  const bounds = {
    headersTimeout: Math.min(HEADERS_TIMEOUT_MS, settings.requestTimeoutMs),
    requestTimeout: settings.requestTimeoutMs,
    maxHeaderSize: MAX_HEADER_BYTES,
    keepAliveTimeout: KEEP_ALIVE_TIMEOUT_MS,
    connectionsCheckingInterval: SLOW_SENDER_CHECK_MS,
  };
  const { tls } = settings;
  const server =
    tls === undefined
      ? createServer(bounds, listener)
      : createTlsServer({ ...bounds, cert: readFileSync(tls.cert), key: readFileSync(tls.key) }, listener);
  server.maxConnections = settings.maxConnections;
  return server;
}
