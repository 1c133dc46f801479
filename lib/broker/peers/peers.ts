import type { CancelSignal } from '../../async/cancellation.ts';
import { waitWithin } from '../../async/interruptible.ts';
import type { PeerEndpoint } from '../../settings/environment.ts';
import type { Settings } from '../../settings/settings.ts';
import type { Call } from '../http/call.ts';
import type { HttpApp } from '../http/http-app.ts';
import { deadlineOf } from '../requests/request-deadline.ts';
import { brokerIdOf } from './broker-id.ts';
import { forwardCall, HOP_HEADER } from './forward-call.ts';
import { ownerGone } from './forward-errors.ts';
import { type Resolve, resolveByDns } from './peer-address.ts';
import { PeerDirectory } from './peer-directory.ts';
import { PeerHttp } from './peer-http.ts';
import { probePeer } from './peer-probe.ts';

/** Where the other brokers are. */
export interface Peers {
  /** None: this broker is the only one. */
  readonly endpoints: readonly PeerEndpoint[];
  /** Default: by DNS. */
  readonly resolve?: Resolve;
}

/**
 * Forwards calls of transactions that another broker holds to that one, at most once. Must be added after
 * authentication, which the other broker repeats.
 */
export function forwardToOwners(
  app: HttpApp,
  { endpoints, resolve = resolveByDns }: Peers,
  ownId: string,
  { server, databases }: Settings,
): void {
  if (endpoints.length === 0) return;
  const http = new PeerHttp(server.tls);
  const directory = new PeerDirectory({
    endpoints,
    resolve,
    probe: async (address) => await probePeer(http, address),
    onFailure: (peer, cause) => app.log.warn({ peer, cause: codeOf(cause) }, 'a peer cannot be reached'),
  });
  app.onListen(() => directory.start());
  app.onClose(() => {
    directory.stop();
    http.close();
  });

  const limits = Object.values(databases).map((database) => database.limits);
  const longestCallMs = Math.max(...limits.map(({ queryTimeoutMs }) => queryTimeoutMs));
  const longestPauseMs = Math.max(longestCallMs, ...limits.map(({ streamStallMs }) => streamStallMs));

  const forward = async (call: Call, owner: string): Promise<void> => {
    // The sender took us for the owner because we now run at its address. Do not forward again.
    if (call.headers[HOP_HEADER] !== undefined) throw ownerGone(call.routePath);
    call.forwardedTo = owner;
    const deadline = deadlineOf(call, undefined, longestCallMs);
    const signal = abortSignalOf(call.gone);
    const address = await waitWithin(directory.find(owner), { deadline, signal }, 'not_applied');
    if (address === undefined) throw ownerGone(call.routePath);
    await forwardCall(http, {
      call,
      address,
      deadline,
      signal,
      bodies: app.bodies,
      longestPauseMs,
    });
  };
  app.addBeforeBody((call) => {
    if (call.route?.servesOpenTransactions !== true) return undefined;
    const owner = brokerIdOf(call.param('id'));
    return owner === undefined || owner === ownId ? undefined : forward(call, owner);
  });
}

/** As an `AbortSignal`, which Node's HTTP client needs. */
function abortSignalOf(signal: CancelSignal): AbortSignal {
  const controller = new AbortController();
  if (signal.aborted) controller.abort(signal.reason);
  else signal.addEventListener('abort', () => controller.abort(signal.reason));
  return controller.signal;
}

function codeOf(error: unknown): string {
  if (!(error instanceof Error)) return 'unknown';
  return 'code' in error ? String(error.code) : error.name;
}
