import type { Writable } from 'node:stream';

/** A line is out after so long, however few follow it. */
const LONGEST_DELAY_MS = 20;
const BATCH_LENGTH = 16_384;

/** Writes the log to the process's output, many lines with one system call where many come. */
export class LogOutput {
  readonly #output: Writable;
  #lines = '';
  #timer: NodeJS.Timeout | undefined;

  constructor(output: Writable) {
    this.#output = output;
    // Whoever read the log may go: the broker goes on without.
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
