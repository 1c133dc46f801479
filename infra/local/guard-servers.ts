import { Server as HttpServer, type IncomingMessage, ServerResponse, STATUS_CODES } from 'node:http';
import { Server as HttpsServer } from 'node:https';
import type { Duplex } from 'node:stream';
import {
  foreignHostProblem,
  foreignPageProblem,
  listensAtLoopback,
} from '../../lib/broker/http/foreign-requests.ts';

type Server = HttpServer | HttpsServer;

/** Events of Node's servers whose first argument is a request, and whose second is a response or the bare connection. */
const REQUEST_EVENTS: ReadonlySet<string | symbol> = new Set([
  'request',
  'checkContinue',
  'checkExpectation',
  'upgrade',
  'connect',
]);

/**
 * From now on no HTTP server of this process answers a web page of another origin, nor, where it listens at a loopback
 * address, a request for another name; and none sends a CORS header. For serverless-offline: it opens several servers,
 * runs functions for whoever asks them, and tells browsers that every page may read the replies.
 */
export function guardServers(): void {
  for (const { prototype } of [HttpServer, HttpsServer]) guard(prototype);
}

function guard(prototype: Server): void {
  const { emit } = prototype;
  prototype.emit = function (this: Server, event: string | symbol, ...args: unknown[]): boolean {
    if (REQUEST_EVENTS.has(event)) {
      const [request, answer] = args as [IncomingMessage, ServerResponse | Duplex];
      const problem = problemOf(this, request);
      if (problem !== undefined) {
        refuse(answer, problem);
        return true;
      }
      if (answer instanceof ServerResponse) omitCorsHeaders(answer);
    }
    return Reflect.apply(emit, this, [event, ...args]);
  };
}

function problemOf(server: Server, request: IncomingMessage): string | undefined {
  const hostProblem = listensAtLoopback(server) ? foreignHostProblem(request) : undefined;
  return hostProblem ?? foreignPageProblem(request);
}

function omitCorsHeaders(response: ServerResponse): void {
  const { setHeader } = response;
  response.setHeader = (name, value) =>
    /^access-control-/i.test(name) ? response : setHeader.call(response, name, value);
}

function refuse(answer: ServerResponse | Duplex, problem: string): void {
  const body = JSON.stringify({ error: { code: 'FORBIDDEN', message: problem } });
  const headers = {
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(body),
    connection: 'close',
  };
  if (answer instanceof ServerResponse) {
    answer.writeHead(403, headers).end(body);
    return;
  }
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  answer.end(`HTTP/1.1 403 ${STATUS_CODES[403]}\r\n${lines.join('')}\r\n${body}`);
}
