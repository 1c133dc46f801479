import { once } from 'node:events';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { isIPv6, type ListenOptions } from 'node:net';
import type { Logger } from 'pino';
import { TwoGenerationCache } from '../../collections/two-generation-cache.ts';
import { BrokerError } from '../../errors.ts';
import type { ServerSettings } from '../../settings/settings.ts';
import { readJsonBody } from './body/json-body.ts';
import { BodyReader } from './body/request-body.ts';
import { ByteBudget, HeldBytes } from './byte-budget.ts';
import { Call, CallerGone, type MatchedPath, type Route } from './call.ts';
import { failureOf, sendFailure } from './error-reply.ts';
import { RouteTable } from './route-table.ts';
import { Connections, closeSent } from './sockets/connections.ts';
import { createHttpServer } from './sockets/http-server.ts';
import type { OnRawReply } from './sockets/parser-errors.ts';
import { owesNothing } from './sockets/pipelined-responses.ts';

/** Their keys are URLs of up to 16 KB. */
const MAX_PLACES = 200;

/** Looks at a call before its body is read. It may answer by itself. @throws what the call is refused with. */
type Check = (call: Call) => Promise<void> | undefined;

interface HttpAppOptions {
  readonly settings: ServerSettings;
  /** Of all calls together. Default: no bound. */
  readonly maxBufferedBytes?: number;
  readonly log: Logger;
  /** Hears of each call once: when its reply was sent, or its caller had gone. */
  readonly onDone: (call: Call) => void;
  readonly onRawReply: OnRawReply;
}

/**
 * Takes requests to their routes, and failures back. On node:http alone: with a framework's objects beside Node's own
 * for each call that waits, a broker with a thousand callers served a tenth less.
 */
export class HttpApp {
  readonly log: Logger;
  readonly server: Server;
  readonly bodies: BodyReader;
  /** Of the bodies and replies of all calls. */
  readonly budget: ByteBudget;
  readonly #connections: Connections;
  readonly #onDone: (call: Call) => void;
  readonly #routes = new RouteTable();
  /** By URL. */
  readonly #places = new TwoGenerationCache<MatchedPath>(MAX_PLACES);
  readonly #checks: Check[] = [];
  readonly #onListen: (() => void)[] = [];
  readonly #onClose: (() => void)[] = [];
  readonly #scheme: 'http' | 'https';
  #isClosing = false;

  constructor({ settings, maxBufferedBytes, log, onDone, onRawReply }: HttpAppOptions) {
    this.log = log;
    this.budget = new ByteBudget(maxBufferedBytes ?? Number.POSITIVE_INFINITY);
    this.bodies = new BodyReader(settings.bodyLimitBytes);
    this.#onDone = onDone;
    this.#scheme = settings.tls === undefined ? 'http' : 'https';
    const serve = (request: IncomingMessage, response: ServerResponse) => this.#serve(request, response);
    this.server = createHttpServer(settings, serve, onRawReply);
    this.#connections = new Connections(this.server);
  }

  addRoute(route: Route): void {
    this.#routes.add(route);
  }

  /** Checks are made in the order in which they are added, also of calls that lead nowhere, unless their URL is malformed. */
  addCheck(check: Check): void {
    this.#checks.push(check);
  }

  onListen(listener: () => void): void {
    this.#onListen.push(listener);
  }

  onClose(listener: () => void): void {
    this.#onClose.push(listener);
  }

  /** Returns the URL. */
  async listen(options: ListenOptions & { readonly host: string }): Promise<string> {
    this.server.listen(options);
    await once(this.server, 'listening');
    for (const listener of this.#onListen) listener();
    const { host } = options;
    const address = this.server.address();
    const port = typeof address === 'object' ? address?.port : undefined;
    const url = `${this.#scheme}://${isIPv6(host) ? `[${host}]` : host}:${port}`;
    this.log.info(`Server listening at ${url}`);
    return url;
  }

  /**
   * Takes no more connections, and closes those that carry no request. Resolves when the others have been answered: a
   * request whose body is not whole is answered DRAINING.
   */
  async close(): Promise<void> {
    this.#isClosing = true;
    const closed = new Promise<void>((resolve) => {
      this.server.close(() => resolve());
    });
    this.bodies.refuseUnfinished(() => true);
    this.#connections.closeUnused();
    await closed;
    for (const listener of this.#onClose) listener();
  }

  #serve(request: IncomingMessage, response: ServerResponse): void {
    const call = new Call(request, response, this.log, new HeldBytes(this.budget));
    let isSent = false;
    response.once('finish', () => {
      // Node tells of the end also when the connection was closed with much of the reply unsent.
      isSent = !request.socket.destroyed;
    });
    response.once('close', () => {
      call.held.holdReply(0);
      const isGone = !isSent;
      if (isGone) call.code = 'CALLER_GONE';
      this.#onDone(call);
      if (isGone) call.gone.cancel(new CallerGone());
      if (this.#isClosing && owesNothing(request.socket)) closeSent(request.socket);
    });
    // One that nobody hears would end the process.
    response.on('error', () => response.destroy());
    this.#answer(call).catch((error: unknown) => fail(call, error));
  }

  /** A thousand callers ask at a few addresses. */
  #placeOf({ url = '' }: IncomingMessage): MatchedPath | undefined {
    const known = this.#places.get(url);
    if (known !== undefined) return known;
    const place = this.#routes.find(pathOf(url));
    if (place !== undefined) this.#places.set(url, place);
    return place;
  }

  async #answer(call: Call): Promise<void> {
    const { request } = call;
    const place = this.#placeOf(request);
    if (place !== undefined) call.setRoute(place);
    for (const check of this.#checks) {
      const checked = check(call);
      if (checked !== undefined) await checked;
      if (call.isAnswered) return;
    }
    if (place === undefined) throw new BrokerError('NOT_FOUND', 'There is nothing at this address');
    const { route } = call;
    if (route === undefined) {
      const methods = [...place.routes.keys()];
      const allow = methods.flatMap((method) => (method === 'GET' ? ['GET', 'HEAD'] : [method])).join(', ');
      call.replyHeaders.allow = allow;
      throw new BrokerError('METHOD_NOT_ALLOWED', `Only ${allow} is allowed here`);
    }
    if (route.method === 'POST') call.body = await readJsonBody(call, this.bodies);
    const reply = await route.handle(call);
    if (reply !== undefined) call.send(reply);
  }
}

function fail(call: Call, error: unknown): void {
  // Nobody hears this.
  if (error instanceof CallerGone) return;
  try {
    if (!call.isAnswered) {
      sendFailure(call, error);
      return;
    }
    failureOf(call, error);
  } catch (cause) {
    failureOf(call, cause);
  }
  call.response.destroy();
}

/** Without its query. Some senders name the whole URL, as they would to a proxy. */
function pathOf(url: string): string {
  const [path = ''] = url.split('?', 1);
  return path.startsWith('/') ? path : path.replace(/^https?:\/\/[^/]*/i, '');
}
