import type { Writable } from 'node:stream';

/** Longest time until a line is written. */
const LONGEST_DELAY_MS = 20;
const BATCH_LENGTH = 16_384;

/** Writes the log to the process's output in batches, to save system calls. */
export class LogOutput {
  readonly #output: Writable;
  #lines = '';
  #timer: NodeJS.Timeout | undefined;

  constructor(output: Writable) {
    this.#output = output;
    // The broker goes on if the reader of its log is gone.
    output.on('error', () => undefined);
  }

  write(line: string): void {
    this.#lines += line;
    if (this.#lines.length >= BATCH_LENGTH) this.flush();
    else this.#timer ??= setTimeout(() => this.flush(), LONGEST_DELAY_MS);
  }

  /** Must be called before the process ends. */
  flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#output.write(this.#lines);
    this.#lines = '';
  }
}
