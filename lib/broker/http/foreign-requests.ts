import type { IncomingMessage, Server } from 'node:http';

/** An address that only programs of this machine can connect to. */
const LOOPBACK_ADDRESS = /^(?:::1|(?:::ffff:)?127(?:\.\d{1,3}){3})$/;
/** A `Host` that means such an address on every machine: no DNS server decides where it leads. */
const LOOPBACK_HOST = /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])(?::\d{1,5})?$/i;
/** What a browser says of a request that no page, or a page of the same origin, has made. */
const OWN_SITES: readonly unknown[] = ['none', 'same-origin'];

type Asked = Pick<IncomingMessage, 'method' | 'headers'>;

/** Whether a server serves this machine alone. */
export function listensAtLoopback(server: Pick<Server, 'address'>): boolean {
  const address = server.address();
  return address !== null && typeof address === 'object' && LOOPBACK_ADDRESS.test(address.address);
}

/**
 * Why a server that listens at a loopback address must not serve a request: a web page's own name may lead here too
 * (DNS rebinding). Undefined if it may be served. A request without a `Host`, as HTTP/1.0 allows, no browser sends.
 */
export function foreignHostProblem({ headers: { host } }: Asked): string | undefined {
  if (host === undefined || LOOPBACK_HOST.test(host)) return undefined;
  return 'The header "host" must be localhost, 127.0.0.1 or [::1], with any port: this server listens at a loopback address';
}

/**
 * Why a request must not be served: a web page of another origin has made a browser send it. By `Sec-Fetch-Site` (W3C
 * Fetch Metadata), and by `Origin` where a browser does not send that. Undefined if it may be served: so may a link
 * that a user follows, of whose reply no other page can read anything.
 */
export function foreignPageProblem({ method, headers }: Asked): string | undefined {
  const { host, origin, 'sec-fetch-site': site } = headers;
  if (site === undefined ? origin === undefined || isOriginOf(host, origin) : OWN_SITES.includes(site)) {
    return undefined;
  }
  const isFollowedLink =
    method === 'GET' && headers['sec-fetch-mode'] === 'navigate' && headers['sec-fetch-dest'] === 'document';
  if (isFollowedLink) return undefined;
  return 'No web page of another origin is answered here (headers "sec-fetch-site" and "origin")';
}

function isOriginOf(host: string | undefined, origin: string): boolean {
  return host !== undefined && (origin === `http://${host}` || origin === `https://${host}`);
}
