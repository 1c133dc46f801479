import type { Server } from 'node:http';
import { Server as HttpsServer } from 'node:https';
import type { Socket } from 'node:net';
import { isIdle } from './pipelined-responses.ts';

/** Every connection that a server has accepted, also those without a request so far. */
export class Connections {
  /** Connections that speak HTTP. */
  readonly #open = new Set<Socket>();
  /** Unfinished TLS handshakes by both addresses: Node does not say which handshake a TLS socket came from. */
  readonly #handshakes = new Map<string, Socket>();

  constructor(server: Server | HttpsServer) {
    if (!(server instanceof HttpsServer)) {
      server.on('connection', (socket) => this.#add(socket));
      return;
    }
    server.on('connection', (socket: Socket) => this.#addHandshake(socket));
    server.on('secureConnection', (socket) => {
      this.#handshakes.delete(addressesOf(socket));
      this.#add(socket);
    });
  }

  /** Closes connections without a request: silent ones, kept-alive ones, partial heads, partial TLS handshakes. */
  closeUnused(): void {
    for (const socket of this.#handshakes.values()) socket.destroy();
    for (const socket of this.#open) if (isIdle(socket)) closeAfterWrites(socket);
  }

  #add(socket: Socket): void {
    this.#open.add(socket);
    socket.once('close', () => this.#open.delete(socket));
  }

  #addHandshake(socket: Socket): void {
    const addresses = addressesOf(socket);
    this.#handshakes.set(addresses, socket);
    socket.once('close', () => {
      // Another connection may have the same addresses by now.
      if (this.#handshakes.get(addresses) === socket) this.#handshakes.delete(addresses);
    });
  }
}

/** Closes a connection once the operating system has what was written to it. */
export function closeAfterWrites(socket: Socket): void {
  if (socket.writableLength === 0) socket.destroy();
  else socket.destroySoon();
}

function addressesOf({ localAddress, localPort, remoteAddress, remotePort }: Socket): string {
  return `${localAddress} ${localPort} ${remoteAddress} ${remotePort}`;
}
