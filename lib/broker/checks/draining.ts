import { BrokerError } from '../../errors.ts';
import type { HttpApp } from '../http/http-app.ts';
import type { Lifecycle } from '../lifecycle.ts';

/** Sends callers elsewhere once the broker is on its way out; refuses their work when it is draining. */
export function refuseWhenDraining(app: HttpApp, lifecycle: Lifecycle): void {
  app.addCheck(({ route, replyHeaders }) => {
    const { phase } = lifecycle;
    // The next request of this connection should find another broker.
    if (phase !== 'starting' && phase !== 'serving') replyHeaders.connection = 'close';
    if (phase === 'draining' && route?.access !== undefined && route.servesOpenTransactions !== true) {
      throw new BrokerError('DRAINING', 'The broker is shutting down');
    }
    return undefined;
  });
}
