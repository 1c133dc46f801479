import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import http from 'node:http';
import https from 'node:https';
import { isIP } from 'node:net';
import type { ServerSettings } from '../../settings/process-settings.ts';
import type { PeerAddress } from './peer-address.ts';

const CONNECT_TIMEOUT_MS = 2_000;
/** Below the time after which the other side closes an idle connection. */
const KEEP_SOCKET_MS = 30_000;

/** A request to a peer. */
export interface PeerRequest {
  readonly method: 'GET' | 'POST';
  readonly path: string;
  readonly headers?: http.OutgoingHttpHeaders;
  /** Aborts the request. */
  readonly signal: AbortSignal;
}

/** HTTP to other brokers, as callers speak it: HTTPS if this broker has a certificate. */
export class PeerHttp {
  readonly #agent: http.Agent;
  readonly #trust: https.RequestOptions | undefined;

  constructor(tls: ServerSettings['tls']) {
    const options = { keepAlive: true, timeout: KEEP_SOCKET_MS };
    this.#agent = tls === undefined ? new http.Agent(options) : new https.Agent(options);
    this.#trust = tls === undefined ? undefined : trustLike(readFileSync(tls.cert));
  }

  /**
   * A request on an open connection. Nothing is sent before its `end`.
   *
   * @throws the error of the connection.
   */
  async connect(
    address: PeerAddress,
    { headers = {}, ...request }: PeerRequest,
  ): Promise<http.ClientRequest> {
    for (;;) {
      const opened = this.#open(address, { ...request, headers });
      const isUsable = await isConnected(opened, this.#trust === undefined ? 'connect' : 'secureConnect');
      if (isUsable) return opened;
    }
  }

  close(): void {
    this.#agent.destroy();
  }

  #open({ ip, port, host }: PeerAddress, request: PeerRequest): http.ClientRequest {
    const options = { ...request, host: ip, port, agent: this.#agent };
    if (this.#trust === undefined) return http.request(options);
    // An IP address cannot be a server name; the certificate must then hold the address.
    return https.request({ ...options, ...(isIP(host) === 0 && { servername: host }), ...this.#trust });
  }
}

/**
 * Peers share their settings. A self-signed certificate is therefore the very one to expect, whatever its names. Any
 * other must hold the host name in the endpoints and come from a CA that Node trusts.
 */
function trustLike(cert: Buffer): https.RequestOptions {
  const own = new X509Certificate(cert);
  return own.checkIssued(own) ? { ca: cert, checkServerIdentity: () => undefined } : {};
}

/** Sends the request and waits for the head of its reply. @throws the error of the connection, or {@link PeerSilent}. */
export async function headOfReply(
  request: http.ClientRequest,
  body: Buffer | undefined,
  silenceMs: number,
): Promise<http.IncomingMessage> {
  return await new Promise((resolve, reject) => {
    request.on('error', reject);
    request.once('response', resolve);
    request.setTimeout(silenceMs, () => request.destroy(new PeerSilent()));
    request.end(body);
  });
}

/** A connected peer did not answer in time. */
export class PeerSilent extends Error {
  constructor() {
    super('The peer does not answer in time');
    this.name = 'PeerSilent';
  }
}

/** False if it is a kept-alive connection that the peer has closed meanwhile. */
async function isConnected(
  request: http.ClientRequest,
  event: 'connect' | 'secureConnect',
): Promise<boolean> {
  const timer = setTimeout(() => request.destroy(new PeerSilent()), CONNECT_TIMEOUT_MS);
  try {
    return await new Promise((resolve, reject) => {
      request.on('error', (error) => (request.reusedSocket ? resolve(false) : reject(error)));
      request.once('socket', (socket) => {
        if (!request.reusedSocket) socket.once(event, () => resolve(true));
        // A hang-up is noticed when the event loop polls its sockets the next time.
        else setImmediate(() => setImmediate(() => resolve(!socket.destroyed)));
      });
    });
  } finally {
    clearTimeout(timer);
  }
}
