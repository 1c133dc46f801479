import { once } from 'node:events';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { isIPv6, type ListenOptions } from 'node:net';
import type { Logger } from 'pino';
import type { MaybePromise } from '../../async/maybe-promise.ts';
import { TwoGenerationCache } from '../../collections/two-generation-cache.ts';
import { BrokerError } from '../../errors.ts';
import type { ServerSettings } from '../../settings/process-settings.ts';
import { readJsonBody } from './body/json-body.ts';
import { BodyReader } from './body/request-body.ts';
import { ByteBudget, HeldBytes } from './byte-budget.ts';
import { Call, CallerGone, type MatchedPath, type Route } from './call.ts';
import { failureOf, sendFailure } from './error-reply.ts';
import { RouteTable } from './route-table.ts';
import { Connections, closeAfterWrites } from './sockets/connections.ts';
import { createHttpServer } from './sockets/http-server.ts';
import { closeWhenWhole } from './sockets/linger.ts';
import type { OnRawReply } from './sockets/parser-errors.ts';
import { isIdle } from './sockets/pipelined-responses.ts';

/** Each is up to 16 KB long. */
const MAX_CACHED_URLS = 200;

/** Runs before a call's body is read. It may send the reply. @throws the failure that refuses the call. */
type BeforeBody = (call: Call) => MaybePromise<void>;

interface HttpAppOptions {
  readonly settings: ServerSettings;
  /** For the bodies and replies of all calls together. Default: no bound. */
  readonly maxBufferedBytes?: number;
  readonly log: Logger;
  /** Called once for each call: when its reply was sent, or its caller has hung up. */
  readonly onDone: (call: Call) => void;
  readonly onRawReply: OnRawReply;
}

/**
 * Dispatches requests to their routes, and answers failures. On node:http alone: a framework's objects for each waiting
 * call cost a broker with a thousand callers a tenth of its throughput. Few callers gain nothing: on a trivial route with
 * 64 connections this layer answers 0.81 times what bare Fastify does, which has no request ids, exact JSON, memory
 * bounds and signals of callers that hang up.
 */
export class HttpApp {
  readonly log: Logger;
  readonly server: Server;
  readonly bodies: BodyReader;
  /** For the bodies and replies of all calls. */
  readonly budget: ByteBudget;
  readonly #connections: Connections;
  readonly #onDone: (call: Call) => void;
  readonly #routes = new RouteTable();
  /** By URL. */
  readonly #matchedPaths = new TwoGenerationCache<MatchedPath>(MAX_CACHED_URLS);
  readonly #beforeBody: BeforeBody[] = [];
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

  /** Adds a step that runs after those added before, also for unknown paths, but not for malformed URLs. */
  addBeforeBody(step: BeforeBody): void {
    this.#beforeBody.push(step);
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
   * Stops listening, and closes connections that carry no request. Resolves when all requests have been answered; one
   * with an incomplete body is answered DRAINING.
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
      // Node emits 'finish' also if the connection was closed with a part of the reply unsent.
      isSent = !request.socket.destroyed;
    });
    response.once('close', () => {
      call.held.holdReply(0);
      const isGone = !isSent;
      if (isGone) call.code = 'CALLER_GONE';
      this.#onDone(call);
      if (isGone) call.gone.cancel(new CallerGone());
      if (!this.#isClosing || !isIdle(request.socket)) return;
      if (request.complete || isGone) closeAfterWrites(request.socket);
      else closeWhenWhole(request);
    });
    // Without a listener an error would end the process.
    response.on('error', () => response.destroy());
    this.#answer(call).catch((error: unknown) => fail(call, error));
  }

  /** Cached, since callers use few different URLs. */
  #matchedPathOf({ url = '' }: IncomingMessage): MatchedPath | undefined {
    const known = this.#matchedPaths.get(url);
    if (known !== undefined) return known;
    const found = this.#routes.find(pathOf(url));
    if (found !== undefined) this.#matchedPaths.set(url, found);
    return found;
  }

  async #answer(call: Call): Promise<void> {
    const { request } = call;
    const matched = this.#matchedPathOf(request);
    if (matched !== undefined) call.setRoute(matched);
    for (const step of this.#beforeBody) {
      const done = step(call);
      if (done instanceof Promise) await done;
      if (call.isAnswered) return;
    }
    if (matched === undefined) throw new BrokerError('NOT_FOUND', 'There is nothing at this address');
    const { route } = call;
    if (route === undefined) {
      const methods = [...matched.routes.keys()];
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
  // There is nobody to answer.
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

/** The path without the query. A request may name the whole URL, as to a proxy. */
function pathOf(url: string): string {
  const [path = ''] = url.split('?', 1);
  return path.startsWith('/') ? path : path.replace(/^https?:\/\/[^/]*/i, '');
}
