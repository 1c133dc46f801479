import { BrokerError } from '../../errors.ts';
import { foreignHostProblem, foreignPageProblem, listensAtLoopback } from '../http/foreign-requests.ts';
import type { HttpApp } from '../http/http-app.ts';

/** Refuses what web pages can make a browser of this machine send, where the broker listens for this machine alone. */
export function refuseForeignRequests(app: HttpApp): void {
  let isLoopback = false;
  app.onListen(() => {
    isLoopback = listensAtLoopback(app.server);
  });
  app.addCheck(({ request }) => {
    if (!isLoopback) return undefined;
    const problem = foreignHostProblem(request) ?? foreignPageProblem(request);
    if (problem !== undefined) throw new BrokerError('FORBIDDEN', problem);
    return undefined;
  });
}
