import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { ErrorCode } from '../errors.ts';
import { Stop } from '../pool/stop.ts';
import { REQUEST_ID_HEADER } from '../protocol/routes.ts';
import type { Caller } from '../settings/caller-keys.ts';

export type AccessLevel = Caller['access'];

/** What is known of a request beyond HTTP: for the handlers, and for its line in the log. */
export interface Call {
  /** On the monotonic clock. */
  readonly arrivedAtMs: number;
  /** Raised, with `CallerGone`, when the caller hangs up before its reply was sent. */
  readonly gone: Stop;
  caller?: Caller;
  /** The database it is about, if that exists. */
  alias?: string;
  /** The error code of the reply; `CALLER_GONE` if nobody waited for it. */
  code?: ErrorCode | 'CALLER_GONE';
  /** The name of the broker that was asked to answer it. */
  forwardedTo?: string;
  queueMs?: number;
  durationMs?: number;
}

declare module 'fastify' {
  interface FastifyRequest {
    call: Call | null;
  }
  interface FastifyContextConfig {
    /** What a caller must be allowed to do. Absent: anybody may call, without a key. */
    access?: AccessLevel;
    /** Answered while the broker drains, for transactions that are open. */
    servesOpenTransactions?: boolean;
  }
}

/** The caller hung up: nobody is left to answer. */
export class CallerGone extends Error {
  constructor() {
    super('The caller hung up');
    this.name = 'CallerGone';
  }
}

type OnDone = (request: FastifyRequest, reply: FastifyReply) => void;

/** Tracks every request that Fastify runs hooks for. Must come before every other hook. */
export function trackCalls(app: FastifyInstance, onDone: OnDone): void {
  app.decorateRequest('call', null);
  // Hooks that wait for nothing call back: a promise of each would cost more than what they do.
  app.addHook('onRequest', (request, reply, done) => {
    trackCall(request, reply, onDone);
    done();
  });
}

/**
 * The reply will bear the request's id, whoever writes it. `onDone` is told of the request once, when its reply was sent
 * or its caller had gone: Fastify's own `onResponse` says nothing of those.
 */
export function trackCall(request: FastifyRequest, reply: FastifyReply, onDone: OnDone): void {
  const call = callOf(request);
  void reply.header(REQUEST_ID_HEADER, request.id);
  reply.raw.once('close', () => {
    const isGone = !reply.raw.writableFinished;
    if (isGone) call.code = 'CALLER_GONE';
    onDone(request, reply);
    if (isGone) call.gone.raise(new CallerGone());
  });
}

export function callOf(request: FastifyRequest): Call {
  request.call ??= { arrivedAtMs: performance.now(), gone: new Stop() };
  return request.call;
}
