import { BrokerError } from '../../errors.ts';
import { foreignHostProblem, foreignPageProblem, listensAtLoopback } from '../http/foreign-requests.ts';
import type { HttpApp } from '../http/http-app.ts';

/** If the broker listens at a loopback address: refuses requests that a web page made a browser of this machine send. */
export function refuseForeignRequests(app: HttpApp): void {
  let isLoopback = false;
  app.onListen(() => {
    isLoopback = listensAtLoopback(app.server);
  });
  app.addBeforeBody(({ request }) => {
    if (!isLoopback) return undefined;
    const problem = foreignHostProblem(request) ?? foreignPageProblem(request);
    if (problem !== undefined) throw new BrokerError('FORBIDDEN', problem);
    return undefined;
  });
}
