import type { FastifyInstance } from 'fastify';
import { BrokerError } from '../../errors.ts';
import type { Lifecycle } from '../lifecycle.ts';

/** Sends callers elsewhere once the broker is on its way out; refuses their work when it is draining. */
export function refuseWhenDraining(app: FastifyInstance, lifecycle: Lifecycle): void {
  app.addHook('onRequest', (request, reply, done) => {
    const { phase } = lifecycle;
    // The next request of this connection should find another broker.
    if (phase !== 'starting' && phase !== 'serving') void reply.header('connection', 'close');
    const { access, servesOpenTransactions = false } = request.routeOptions.config;
    if (phase === 'draining' && access !== undefined && !servesOpenTransactions) {
      throw new BrokerError('DRAINING', 'The broker is shutting down');
    }
    done();
  });
}
