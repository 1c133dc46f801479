import type { Socket } from 'node:net';
import { unackedBytes } from './unacked-bytes.ts';

/** How often it looks, at least. */
const LONGEST_LOOK_MS = 1_000;
const LOOKS_IN_A_STALL = 20;

export interface ReaderWatchOptions {
  /** So long the caller may take nothing. */
  readonly stallMs: number;
  /** What the caller sends meanwhile says that it takes something. */
  readonly heedsSigns: boolean;
  /** Called when the caller is seen to have taken something. */
  readonly onTaken?: (() => void) | undefined;
  /** Called when the caller has taken nothing for too long, before its connection is closed. */
  readonly onStall: () => void;
}

/**
 * Closes the connection of a caller that takes nothing of what was written to it.
 *
 * What a caller takes is seen by what the system holds for it: Node's own timer looks at less, and begins anew when
 * the first buffer is full. A slow caller's system may tell of hundreds of kilobytes at once only, whatever that
 * takes: such a caller can say that it takes something by sending an empty line, which HTTP has servers pass over
 * (RFC 9112, section 2.2).
 */
export class ReaderWatch {
  readonly #socket: Socket;
  readonly #options: ReaderWatchOptions;
  readonly #lookMs: number;
  #seen: string;
  #takenAtMs = performance.now();
  #timer: NodeJS.Timeout | undefined;
  #isOver = false;
  #usesNodeTimer = false;

  constructor(socket: Socket, options: ReaderWatchOptions) {
    this.#socket = socket;
    this.#options = options;
    this.#lookMs = Math.min(LONGEST_LOOK_MS, options.stallMs / LOOKS_IN_A_STALL);
    this.#seen = this.#progress(undefined);
    void this.#look();
  }

  stop(): void {
    this.#isOver = true;
    clearTimeout(this.#timer);
    if (this.#usesNodeTimer) this.#socket.setTimeout(0).off('timeout', this.#stall);
  }

  async #look(): Promise<void> {
    const unacked = await unackedBytes(this.#socket);
    if (this.#isOver) return;
    if (unacked === undefined) {
      this.#useNodeTimer();
      return;
    }
    const progress = this.#progress(unacked);
    if (progress !== this.#seen) {
      this.#seen = progress;
      this.#takenAtMs = performance.now();
      this.#options.onTaken?.();
    }
    const leftMs = this.#takenAtMs + this.#options.stallMs - performance.now();
    if (leftMs > 0) {
      this.#timer = setTimeout(() => void this.#look(), Math.min(leftMs, this.#lookMs));
      return;
    }
    this.#stall();
  }

  /** Where the system tells nothing. It may take twice as long, and heeds no signs. */
  #useNodeTimer(): void {
    this.#usesNodeTimer = true;
    this.#socket.setTimeout(this.#options.stallMs).on('timeout', this.#stall);
  }

  readonly #stall = (): void => {
    this.stop();
    this.#options.onStall();
    this.#socket.destroy();
  };

  #progress(unacked: number | undefined): string {
    const { bytesRead, bytesWritten, writableLength } = this.#socket;
    return [bytesWritten - writableLength, unacked, this.#options.heedsSigns && bytesRead].join(' ');
  }
}
