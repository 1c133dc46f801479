import type { IncomingHttpHeaders, IncomingMessage, OutgoingHttpHeaders, ServerResponse } from 'node:http';
import type { Logger } from 'pino';
import { CancelSource } from '../../async/cancellation.ts';
import type { Caller } from '../../credentials/caller-keys.ts';
import type { BrokerError, ErrorCode } from '../../errors.ts';
import { REQUEST_ID_HEADER } from '../../protocol/routes.ts';
import type { HeldBytes } from './byte-budget.ts';
import type { Reply } from './reply.ts';
import { requestIdOf } from './request-id.ts';

export type AccessLevel = Caller['access'];

/** What is done when a method is asked for at an address. */
export interface Route {
  readonly method: 'GET' | 'POST';
  /** Whole segments of it may be parameters, as `:alias`. */
  readonly path: string;
  /** What a caller must be allowed to do. Absent: anybody may call, without a key. */
  readonly access?: AccessLevel;
  /** Answered while the broker drains, for transactions that are open. */
  readonly servesOpenTransactions?: boolean;
  /** Undefined: it has answered by itself. What it fails with is answered as a failure. */
  readonly handle: (call: Call) => Promise<Reply | undefined>;
}

/** By name. */
export type PathParams = Readonly<Record<string, string>>;

/** What there is at an address: a route for each method. */
export interface MatchedPath {
  readonly path: string;
  readonly routes: ReadonlyMap<string, Route>;
  readonly params: PathParams;
}

/** The caller hung up: nobody is left to answer. */
export class CallerGone extends Error {
  constructor() {
    super('The caller hung up');
    this.name = 'CallerGone';
  }
}

/** What a call does: waits for a connection, runs in MySQL, or neither. */
type CallPhase = 'in_line' | 'in_mysql' | 'here';

/** A request, its reply, and what is known of both beyond HTTP: for the routes, and for its line in the log. */
export class Call {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  /** The caller's own name for it, or one of ours. */
  readonly id: string;
  /** On the monotonic clock. */
  readonly arrivedAtMs = performance.now();
  /** Raised, with {@link CallerGone}, when the caller hangs up before its reply was sent. */
  readonly gone = new CancelSource();
  /** What the reply will bear, whoever writes it. */
  readonly replyHeaders: OutgoingHttpHeaders;
  readonly log: Logger;
  /** What it takes of the budget for all bodies and replies. */
  readonly held: HeldBytes;
  /** The path of the routes at its address, one for each method; undefined if there is none. */
  routePath: string | undefined;
  /** Undefined: its method is not for its address. */
  route: Route | undefined;
  /** What its JSON holds; undefined if it came without. */
  body: unknown;
  /** The work on its body is done in parts, between which others are served. */
  isLarge = false;
  caller?: Caller;
  /** The database it is about, if that exists. */
  alias?: string;
  /** The error code of the reply; `CALLER_GONE` if nobody waited for it. */
  code?: ErrorCode | 'CALLER_GONE';
  /** What it failed with. */
  failure?: BrokerError;
  /** The name of the broker that was asked to answer it. */
  forwardedTo?: string;
  #phase: CallPhase = 'here';
  #phaseSinceMs = 0;
  #queueMs = 0;
  #durationMs = 0;
  #params: PathParams = {};
  #answeredAtMs: number | undefined;

  constructor(request: IncomingMessage, response: ServerResponse, log: Logger, held: HeldBytes) {
    this.request = request;
    this.response = response;
    this.log = log;
    this.held = held;
    this.id = requestIdOf(request);
    this.replyHeaders = { [REQUEST_ID_HEADER]: this.id };
  }

  get headers(): IncomingHttpHeaders {
    return this.request.headers;
  }

  /** Some of its reply was given to the connection. */
  get isAnswered(): boolean {
    return this.response.headersSent;
  }

  /** What its address says behind the path. */
  get query(): URLSearchParams {
    const { url = '' } = this.request;
    const start = url.indexOf('?');
    return new URLSearchParams(start < 0 ? '' : url.slice(start));
  }

  /** Its time in line so far, in milliseconds. */
  get queueMs(): number {
    return this.#queueMs + this.#phaseMs('in_line');
  }

  /** Its time in MySQL so far, in milliseconds. */
  get durationMs(): number {
    return this.#durationMs + this.#phaseMs('in_mysql');
  }

  /** From its arrival to the beginning of its reply, in milliseconds; so far, while there is none. */
  get replyAfterMs(): number {
    return (this.#answeredAtMs ?? performance.now()) - this.arrivedAtMs;
  }

  /**
   * Ends the phase that it is in, and says how long that took.
   *
   * @param tookMs how long it took, where that is known better.
   */
  enter(phase: CallPhase, tookMs?: number): number {
    const nowMs = performance.now();
    const endedMs = tookMs ?? nowMs - this.#phaseSinceMs;
    if (this.#phase === 'in_line') this.#queueMs += endedMs;
    if (this.#phase === 'in_mysql') this.#durationMs += endedMs;
    this.#phase = phase;
    this.#phaseSinceMs = nowMs;
    return endedMs;
  }

  setRoute({ path, routes, params }: MatchedPath): void {
    this.routePath = path;
    const { method = '' } = this.request;
    // Node sends no body of a reply to HEAD.
    this.route = routes.get(method === 'HEAD' ? 'GET' : method);
    this.#params = params;
  }

  /** What its path holds in place of a parameter; empty if it has no such parameter. */
  param(name: string): string {
    return this.#params[name] ?? '';
  }

  send({ status, contentType, body }: Reply): void {
    // Written without its length, a body would come in chunks.
    const length = typeof body === 'string' ? Buffer.byteLength(body) : body.length;
    this.body = undefined;
    this.held.holdReply(length);
    this.replyHeaders['content-type'] = contentType;
    this.replyHeaders['content-length'] = length;
    this.beginReply(status).end(body);
  }

  /** Writes the head of the reply. What follows is the body. */
  beginReply(status: number): ServerResponse {
    this.#answeredAtMs = performance.now();
    return this.response.writeHead(status, this.replyHeaders);
  }

  #phaseMs(phase: CallPhase): number {
    return this.#phase === phase ? performance.now() - this.#phaseSinceMs : 0;
  }
}
