import { BrokerError } from '../errors.ts';
import { type CallScope, waitWithin } from './interruptible.ts';

/** Calls of one transaction that may be in line at a time, the one that runs included. */
const MAX_CALLS = 64;

/** Runs work one at a time, in the order of its arrival. */
export class SerialQueue {
  #tail: Promise<void> = Promise.resolve();
  #length = 0;

  /** Nothing runs and nothing waits. */
  get isQuiet(): boolean {
    return this.#length === 0;
  }

  /**
   * Waits for its turn as long as somebody watches, then runs.
   *
   * @throws {BrokerError} QUEUE_FULL; DEADLINE_EXCEEDED: its turn did not come. Or the signal's reason.
   */
  async run<T>(watched: CallScope, work: () => Promise<T>): Promise<T> {
    if (this.#length >= MAX_CALLS) {
      throw new BrokerError('QUEUE_FULL', 'Too many calls of this transaction are in line', {
        limit: { name: 'callsInLine', max: MAX_CALLS, actual: this.#length + 1 },
      });
    }
    const before = this.#tail;
    const isAlone = this.isQuiet;
    let leave = () => {};
    const left = new Promise<void>((resolve) => {
      leave = resolve;
    });
    this.#tail = before.then(() => left);
    this.#length += 1;
    try {
      if (!isAlone) await waitWithin(before, watched, 'not_applied');
      return await work();
    } finally {
      this.#length -= 1;
      leave();
    }
  }

  /** Resolves when what is in line now has run. */
  async whenQuiet(): Promise<void> {
    await this.#tail;
  }
}
