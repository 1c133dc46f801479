import { randomUUID } from 'node:crypto';
import type { IncomingHttpHeaders, IncomingMessage, OutgoingHttpHeaders, ServerResponse } from 'node:http';
import type { Logger } from 'pino';
import { CancelSource } from '../../async/cancellation.ts';
import type { Caller } from '../../credentials/caller-keys.ts';
import type { BrokerError, ErrorCode } from '../../errors.ts';
import { REQUEST_ID_HEADER } from '../../protocol/routes.ts';
import type { HeldBytes } from './byte-budget.ts';

export type AccessLevel = Caller['access'];

/** A complete reply. */
export interface Reply {
  readonly status: number;
  readonly contentType: string;
  readonly body: Buffer | string;
}

/** The handler of a method at a path. */
export interface Route {
  readonly method: 'GET' | 'POST';
  /** Segments may be parameters, as `:alias`. */
  readonly path: string;
  /** The access that a caller needs. Absent: no key is needed. */
  readonly access?: AccessLevel;
  /** Answered while the broker drains, for transactions that are open. */
  readonly servesOpenTransactions?: boolean;
  /** Resolves with the reply; undefined: it has sent its own. A rejection is answered as a failure. */
  readonly handle: (call: Call) => Promise<Reply | undefined>;
}

/** By name. */
export type PathParams = Readonly<Record<string, string>>;

/** The routes at a path, by method. */
export interface MatchedPath {
  readonly path: string;
  readonly routes: ReadonlyMap<string, Route>;
  readonly params: PathParams;
}

/** The caller hung up. */
export class CallerGone extends Error {
  constructor() {
    super('The caller hung up');
    this.name = 'CallerGone';
  }
}

/** A call waits for a connection, runs in MySQL, or neither. */
type CallPhase = 'queued' | 'in_mysql' | 'in_broker';

/** A request and its reply, with what routes and the log need beyond HTTP. */
export class Call {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  /** The caller's `x-request-id`, or a new one. */
  readonly id: string;
  /** On the monotonic clock. */
  readonly arrivedAtMs = performance.now();
  /** Cancelled with {@link CallerGone} when the caller hangs up before its reply was sent. */
  readonly gone = new CancelSource();
  /** Headers of the reply. */
  readonly replyHeaders: OutgoingHttpHeaders;
  readonly log: Logger;
  /** Its part of the budget for all bodies and replies. */
  readonly held: HeldBytes;
  /** The template of its path; undefined if no route has it. */
  routePath: string | undefined;
  /** Undefined: no route has this path and method. */
  route: Route | undefined;
  /** The parsed JSON; undefined if there is no body. */
  body: unknown;
  /** Its body is worked on in parts, between which other calls are served. */
  isLarge = false;
  caller?: Caller;
  /** The alias of its database, if that exists. */
  alias?: string;
  /** The error code of the reply; `CALLER_GONE` if the caller hung up. */
  code?: ErrorCode | 'CALLER_GONE';
  /** What it failed with. */
  failure?: BrokerError;
  /** The id of the broker that it was forwarded to. */
  forwardedTo?: string;
  #phase: CallPhase = 'in_broker';
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

  /** Its reply has begun. */
  get isAnswered(): boolean {
    return this.response.headersSent;
  }

  /** The query part of its URL. */
  get query(): URLSearchParams {
    const { url = '' } = this.request;
    const start = url.indexOf('?');
    return new URLSearchParams(start < 0 ? '' : url.slice(start));
  }

  /** Its time in the queue so far, in milliseconds. */
  get queueMs(): number {
    return this.#queueMs + this.#phaseMs('queued');
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
   * Ends the current phase, and returns its duration in milliseconds.
   *
   * @param tookMs The duration, if it was measured elsewhere.
   */
  enter(phase: CallPhase, tookMs?: number): number {
    const nowMs = performance.now();
    const endedMs = tookMs ?? nowMs - this.#phaseSinceMs;
    if (this.#phase === 'queued') this.#queueMs += endedMs;
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

  /** The value of a path parameter; empty if the path has no such parameter. */
  param(name: string): string {
    return this.#params[name] ?? '';
  }

  send({ status, contentType, body }: Reply): void {
    // Without a length Node would use chunked encoding.
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

const JSON_TYPE = 'application/json; charset=utf-8';

/** @param body JSON text. */
export function jsonReply(body: Buffer | string, status = 200): Reply {
  return { status, contentType: JSON_TYPE, body };
}

export function replyOf(value: object, status?: number): Reply {
  return jsonReply(JSON.stringify(value), status);
}

export function newRequestId(): string {
  return randomUUID();
}

/** The caller's id, if it is safe in logs and headers; else a new one. */
export function requestIdOf({ headers }: Pick<IncomingMessage, 'headers'>): string {
  const given = headers[REQUEST_ID_HEADER];
  return typeof given === 'string' && /^[A-Za-z0-9._-]{1,128}$/.test(given) ? given : newRequestId();
}
