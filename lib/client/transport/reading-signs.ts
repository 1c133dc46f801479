import type { IncomingMessage } from 'node:http';
import { READING_SIGN, STALL_HEADER } from '../../protocol/routes.ts';

/** So many signs in the time after which the broker gives a reader up. */
const SIGNS_IN_A_STALL = 4;

/**
 * Tells the broker that rows are taken while nothing is read from the connection: a chunk may hold many, and whatever
 * is on the way may hold more than the broker can see.
 */
export class ReadingSigns {
  readonly #stream: IncomingMessage;
  readonly #intervalMs: number;
  #lastAtMs = performance.now();

  constructor(stream: IncomingMessage) {
    this.#stream = stream;
    // A broker that does not name the time heeds no signs.
    this.#intervalMs = Number(stream.headers[STALL_HEADER] ?? Number.POSITIVE_INFINITY) / SIGNS_IN_A_STALL;
  }

  rowTaken(): void {
    const nowMs = performance.now();
    if (nowMs - this.#lastAtMs < this.#intervalMs) return;
    this.#lastAtMs = nowMs;
    const { complete, socket } = this.#stream;
    // Behind the reply's end the connection may carry another request.
    if (!complete && socket.writable) socket.write(READING_SIGN);
  }
}
