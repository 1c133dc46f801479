import { BrokerError } from '../../errors.ts';
import type { HttpApp } from '../http/http-app.ts';

/** Refuses a caller that relies on what the broker does not know. `100-continue` Node has met already. */
export function refuseExpectations(app: HttpApp): void {
  app.addCheck(({ headers: { expect } }) => {
    if (expect !== undefined && !/^100-continue$/i.test(expect)) {
      throw new BrokerError('INVALID_REQUEST', 'The only expectation that the broker meets is 100-continue');
    }
    return undefined;
  });
}
