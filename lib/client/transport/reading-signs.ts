import type { IncomingMessage } from 'node:http';
import { READING_SIGN, STALL_HEADER } from '../../protocol/routes.ts';

/** Signs within the broker's stall timeout. */
const SIGNS_PER_STALL = 4;

/**
 * Tells the broker that rows are consumed while nothing is read from the connection: a chunk may hold many rows, and
 * buffers on the way more.
 */
export class ReadingSigns {
  readonly #stream: IncomingMessage;
  readonly #intervalMs: number;
  #lastAtMs = performance.now();

  constructor(stream: IncomingMessage) {
    this.#stream = stream;
    // A broker that does not name the time ignores signs.
    this.#intervalMs = Number(stream.headers[STALL_HEADER] ?? Number.POSITIVE_INFINITY) / SIGNS_PER_STALL;
  }

  noteRow(): void {
    const nowMs = performance.now();
    if (nowMs - this.#lastAtMs < this.#intervalMs) return;
    this.#lastAtMs = nowMs;
    const { complete, socket } = this.#stream;
    // After the end of the reply the connection may carry another request.
    if (!complete && socket.writable) socket.write(READING_SIGN);
  }
}
