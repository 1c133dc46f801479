import type { Server } from 'node:http';
import { Server as HttpsServer } from 'node:https';
import type { Socket } from 'node:net';
import { owesNothing } from './pipelined-responses.ts';

/** Every connection that a server has accepted: also those on which nothing was asked yet. */
export class Connections {
  /** They speak HTTP. */
  readonly #open = new Set<Socket>();
  /** Their TLS handshake is not finished. By their two addresses: Node does not tell which handshake made a TLS socket. */
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

  /** Closes what carries no request: silent ones, kept ones, half a request head, half a TLS handshake. */
  closeUnused(): void {
    for (const socket of this.#handshakes.values()) socket.destroy();
    for (const socket of this.#open) if (owesNothing(socket)) closeSent(socket);
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

/** Closes a connection when what was written to it is with the operating system. */
export function closeSent(socket: Socket): void {
  if (socket.writableLength === 0) socket.destroy();
  else socket.destroySoon();
}

function addressesOf({ localAddress, localPort, remoteAddress, remotePort }: Socket): string {
  return `${localAddress} ${localPort} ${remoteAddress} ${remotePort}`;
}
