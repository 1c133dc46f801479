import { once } from 'node:events';
import * as http from 'node:http';
import * as net from 'node:net';
import { ERROR_TRAITS, isErrorCode } from '../../lib/errors.ts';

export interface SeenRequest {
  readonly path: string;
  readonly headers: http.IncomingHttpHeaders;
  readonly body: string;
}

/** A reply of JSON; text goes as it is. */
export interface JsonAnswer {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly json: unknown;
}

/** What the stub answers: JSON, or anything else done to the response by hand. */
export type Answer = JsonAnswer | ((response: http.ServerResponse) => void);

/** Stands in for a broker's replies, also for those that no broker should give. */
export class StubBroker implements AsyncDisposable {
  readonly seen: SeenRequest[] = [];
  /** Connections that were opened to it. */
  connections = 0;
  answer: (request: SeenRequest) => Answer;
  readonly server: http.Server;

  private constructor(answer: (request: SeenRequest) => Answer) {
    this.answer = answer;
    this.server = http.createServer((request, response) => void this.#reply(request, response));
    this.server.on('connection', () => {
      this.connections += 1;
    });
  }

  static async start(
    answer: (request: SeenRequest) => Answer,
    host = '127.0.0.1',
    port = 0,
  ): Promise<StubBroker> {
    const stub = new StubBroker(answer);
    stub.server.listen(port, host);
    await once(stub.server, 'listening');
    return stub;
  }

  get port(): number {
    return portOf(this.server);
  }

  get url(): URL {
    return new URL(`http://127.0.0.1:${this.port}`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.server.closeAllConnections();
    this.server.close();
    await once(this.server, 'close');
  }

  async #reply(request: http.IncomingMessage, response: http.ServerResponse): Promise<void> {
    const chunks: Buffer[] = await request.toArray();
    const seen = {
      path: request.url ?? '',
      headers: request.headers,
      body: Buffer.concat(chunks).toString(),
    };
    this.seen.push(seen);
    const answer = this.answer(seen);
    if (typeof answer === 'function') return answer(response);
    const { status = 200, headers = {}, json } = answer;
    const body = typeof json === 'string' ? json : JSON.stringify(json);
    response.writeHead(status, {
      'content-type': 'application/json; charset=utf-8',
      'content-length': Buffer.byteLength(body),
      'x-request-id': request.headers['x-request-id'] ?? 'made-by-the-broker',
      ...headers,
    });
    response.end(body);
  }
}

/** A TCP server that treats each connection as it is told. */
export async function startTcp(
  onConnection: (socket: net.Socket) => void,
): Promise<{ readonly url: URL } & AsyncDisposable> {
  const server = net.createServer((socket) => {
    socket.on('error', () => {});
    onConnection(socket);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: new URL(`http://127.0.0.1:${portOf(server)}`),
    [Symbol.asyncDispose]: async () => {
      server.close();
      await once(server, 'close');
    },
  };
}

/** A port at which nobody listens. */
export async function unusedPort(): Promise<number> {
  const server = net.createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const port = portOf(server);
  server.close();
  await once(server, 'close');
  return port;
}

/** A reply of the broker that tells of a failure. */
export function failure(status: number, code: string, more: object = {}): JsonAnswer {
  const outcome = 'outcome' in more ? more.outcome : 'not_applied';
  const error = {
    code,
    message: `the broker says ${code}`,
    retryable: outcome === 'not_applied' && isErrorCode(code) && ERROR_TRAITS[code].transient,
    outcome,
    requestId: 'r-1',
  };
  return { status, json: { error: { ...error, ...more } } };
}

function portOf(server: net.Server): number {
  const address = server.address();
  if (typeof address !== 'object' || address === null) throw new Error('not listening');
  return address.port;
}
