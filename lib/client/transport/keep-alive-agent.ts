import type { Agent } from 'node:http';
import type { Socket } from 'node:net';
import { httpModuleFor } from './http-module.ts';

/** Below the broker's keep-alive timeout, so that this side closes first. */
const IDLE_TIMEOUT_MS = 30_000;
/** Older connections are closed, so that a broker that was added later gets its share. */
const MAX_AGE_MS = 60_000;

interface SocketTimes {
  readonly openedAtMs: number;
  readonly usedAtMs: number;
}

/**
 * The kept-alive connections to one broker URL.
 *
 * While a function is frozen its timers do not run, but the broker may hang up. So a connection's age is checked by the
 * clock before it is reused, not only by the agent's timers.
 */
export class KeepAliveSockets {
  readonly agent: Agent;
  readonly #times = new WeakMap<Socket, SocketTimes>();

  constructor(protocol: string) {
    const { Agent } = httpModuleFor(protocol);
    this.agent = new Agent({ keepAlive: true, timeout: IDLE_TIMEOUT_MS });
  }

  noteUse(socket: Socket): void {
    const usedAtMs = Date.now();
    this.#times.set(socket, { openedAtMs: this.#times.get(socket)?.openedAtMs ?? usedAtMs, usedAtMs });
  }

  isUsable(socket: Socket, avoided: ReadonlySet<string>): boolean {
    const times = this.#times.get(socket);
    return (
      times !== undefined &&
      Date.now() - times.usedAtMs < IDLE_TIMEOUT_MS &&
      Date.now() - times.openedAtMs < MAX_AGE_MS &&
      socket.writable &&
      !avoided.has(socket.remoteAddress ?? '')
    );
  }
}
