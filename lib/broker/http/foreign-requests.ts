import type { IncomingMessage, Server } from 'node:http';

/** An address that only programs on this machine can connect to. */
const LOOPBACK_ADDRESS = /^(?:::1|(?:::ffff:)?127(?:\.\d{1,3}){3})$/;
/** A `Host` that is a loopback address on every machine, whatever DNS says. */
const LOOPBACK_HOST = /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])(?::\d{1,5})?$/i;
/** `Sec-Fetch-Site` of a request that no page, or a page of the same origin, has made. */
const ALLOWED_SITES: readonly unknown[] = ['none', 'same-origin'];

type RequestHead = Pick<IncomingMessage, 'method' | 'headers'>;

/** Whether only programs on this machine can reach the server. */
export function listensAtLoopback(server: Pick<Server, 'address'>): boolean {
  const address = server.address();
  return address !== null && typeof address === 'object' && LOOPBACK_ADDRESS.test(address.address);
}

/**
 * Why a server at a loopback address must refuse a request: the host name of a web page may lead here (DNS rebinding).
 * Undefined if it may be served. No browser sends a request without a `Host`, which HTTP/1.0 allows.
 */
export function foreignHostProblem({ headers: { host } }: RequestHead): string | undefined {
  if (host === undefined || LOOPBACK_HOST.test(host)) return undefined;
  return 'The header "host" must be localhost, 127.0.0.1 or [::1], with any port: this server listens at a loopback address';
}

/**
 * Why a request must be refused: a web page of another origin made a browser send it. By `Sec-Fetch-Site` (W3C Fetch
 * Metadata), or by `Origin` if a browser does not send that. Undefined if it may be served; so may a link that a user
 * follows, since no other page can read the reply.
 */
export function foreignPageProblem({ method, headers }: RequestHead): string | undefined {
  const { host, origin, 'sec-fetch-site': site } = headers;
  if (site === undefined ? origin === undefined || isOriginOf(host, origin) : ALLOWED_SITES.includes(site)) {
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
