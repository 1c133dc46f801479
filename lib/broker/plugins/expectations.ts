import type { FastifyInstance } from 'fastify';
import { BrokerError } from '../../errors.ts';

/** Refuses a caller that relies on what the broker does not know. `100-continue` Node has met already. */
export function refuseExpectations(app: FastifyInstance): void {
  app.addHook('onRequest', ({ headers: { expect } }, _reply, done) => {
    if (expect !== undefined && !/^100-continue$/i.test(expect)) {
      throw new BrokerError('INVALID_REQUEST', 'The only expectation that the broker meets is 100-continue');
    }
    done();
  });
}
