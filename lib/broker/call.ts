import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { Caller } from '../settings/caller-keys.ts';

export type AccessLevel = Caller['access'];

/** What is known of a request beyond HTTP: for the handlers, and for its line in the log. */
export interface Call {
  /** On the monotonic clock. */
  readonly arrivedAtMs: number;
  caller?: Caller;
  /** The database it is about, if that exists. */
  alias?: string;
  /** The error code of the reply. */
  code?: string;
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
  }
}

/** Must come before every other hook. */
export function trackCalls(app: FastifyInstance): void {
  app.decorateRequest('call', null);
  app.addHook('onRequest', async (request) => {
    callOf(request);
  });
}

export function callOf(request: FastifyRequest): Call {
  request.call ??= { arrivedAtMs: performance.now() };
  return request.call;
}
