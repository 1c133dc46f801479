import { BrokerError } from '../../errors.ts';
import type { HttpApp } from '../http/http-app.ts';

/** Refuses an `Expect` header other than `100-continue`, which Node handles. */
export function refuseExpectations(app: HttpApp): void {
  app.addBeforeBody(({ headers: { expect } }) => {
    if (expect !== undefined && !/^100-continue$/i.test(expect)) {
      throw new BrokerError('INVALID_REQUEST', 'The only expectation that the broker meets is 100-continue');
    }
    return undefined;
  });
}
