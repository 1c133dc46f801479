import type { Socket } from 'node:net';
import { unackedBytes } from './unacked-bytes.ts';

/** Longest time between two checks. */
const MAX_CHECK_INTERVAL_MS = 1_000;
const CHECKS_PER_STALL = 20;

export interface ReaderMonitorOptions {
  /** The caller may read nothing for this long. */
  readonly stallMs: number;
  /** Bytes that the caller sends meanwhile count as progress. */
  readonly countsReadingSigns: boolean;
  /** Called when the caller has read something. */
  readonly onProgress?: (() => void) | undefined;
  /** Called when the caller has read nothing for too long, before its connection is closed. */
  readonly onStall: () => void;
}

/**
 * Closes the connection of a caller that does not read what was written to it.
 *
 * Progress is seen by the kernel's send queue. Node's own timer sees less: it restarts when a first buffer is full. A
 * slow caller's kernel may acknowledge only every few hundred kilobytes. Such a caller can show progress by sending an
 * empty line, which HTTP servers ignore (RFC 9112, section 2.2).
 */
export class ReaderMonitor {
  readonly #socket: Socket;
  readonly #options: ReaderMonitorOptions;
  readonly #checkIntervalMs: number;
  #lastProgress: string;
  #progressAtMs = performance.now();
  #timer: NodeJS.Timeout | undefined;
  #isStopped = false;
  #usesNodeTimer = false;

  constructor(socket: Socket, options: ReaderMonitorOptions) {
    this.#socket = socket;
    this.#options = options;
    this.#checkIntervalMs = Math.min(MAX_CHECK_INTERVAL_MS, options.stallMs / CHECKS_PER_STALL);
    this.#lastProgress = this.#progress(undefined);
    void this.#check();
  }

  stop(): void {
    this.#isStopped = true;
    clearTimeout(this.#timer);
    if (this.#usesNodeTimer) this.#socket.setTimeout(0).off('timeout', this.#stall);
  }

  async #check(): Promise<void> {
    const unacked = await unackedBytes(this.#socket);
    if (this.#isStopped) return;
    if (unacked === undefined) {
      this.#useNodeTimer();
      return;
    }
    const progress = this.#progress(unacked);
    if (progress !== this.#lastProgress) {
      this.#lastProgress = progress;
      this.#progressAtMs = performance.now();
      this.#options.onProgress?.();
    }
    const leftMs = this.#progressAtMs + this.#options.stallMs - performance.now();
    if (leftMs > 0) {
      this.#timer = setTimeout(() => void this.#check(), Math.min(leftMs, this.#checkIntervalMs));
      return;
    }
    this.#stall();
  }

  /** Fallback if the system does not report its queue. It may take twice as long, and ignores empty lines. */
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
    return [bytesWritten - writableLength, unacked, this.#options.countsReadingSigns && bytesRead].join(' ');
  }
}
