import type { FastifyInstance } from 'fastify';
import { BrokerError } from '../../errors.ts';
import type { Lifecycle } from '../lifecycle.ts';

/** Sends callers elsewhere once the broker is on its way out; refuses their work when it is draining. */
export function refuseWhenDraining(app: FastifyInstance, lifecycle: Lifecycle): void {
  app.addHook('onRequest', async (request, reply) => {
    if (lifecycle.phase === 'starting' || lifecycle.phase === 'serving') return;
    // The next request of this connection should find another broker.
    void reply.header('connection', 'close');
    const { access, servesOpenTransactions = false } = request.routeOptions.config;
    if (lifecycle.phase === 'draining' && access !== undefined && !servesOpenTransactions) {
      throw new BrokerError('DRAINING', 'The broker is shutting down');
    }
  });
}
