import { BrokerError } from '../errors.ts';
import type { HttpApp } from './http/http-app.ts';

/**
 * Where the broker is in its life:
 *
 *     starting ──▶ serving ──▶ leaving ──▶ draining
 *
 * `leaving`: /readyz says 503 so that no more callers are sent here, but new work is still served.
 * `draining`: new work is refused, work that was accepted is finished.
 */
export type Phase = 'starting' | 'serving' | 'leaving' | 'draining';

export class Lifecycle {
  #phase: Phase = 'starting';

  get phase(): Phase {
    return this.#phase;
  }

  /** Phases are entered in the order above. */
  enter(phase: Phase): void {
    this.#phase = phase;
  }
}

/** Closes kept-alive connections from `leaving` on, and refuses new work while `draining`. */
export function refuseWhenDraining(app: HttpApp, lifecycle: Lifecycle): void {
  app.addBeforeBody(({ route, replyHeaders }) => {
    const { phase } = lifecycle;
    // The caller's next request should reach another broker.
    if (phase !== 'starting' && phase !== 'serving') replyHeaders.connection = 'close';
    if (phase === 'draining' && route?.access !== undefined && route.servesOpenTransactions !== true) {
      throw new BrokerError('DRAINING', 'The broker is shutting down');
    }
    return undefined;
  });
}
