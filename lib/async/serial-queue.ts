import { BrokerError } from '../errors.ts';
import { type CallScope, waitWithin } from './interruptible.ts';

/** Most queued calls of one transaction, the running one included. */
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
   * Runs `work` when its turn comes.
   *
   * @throws {BrokerError} QUEUE_FULL; DEADLINE_EXCEEDED: its turn did not come in time. Or the signal's reason.
   */
  async run<T>(scope: CallScope, work: () => Promise<T>): Promise<T> {
    if (this.#length >= MAX_CALLS) {
      throw new BrokerError('QUEUE_FULL', 'Too many calls of this transaction are queued', {
        limit: { name: 'callsInLine', max: MAX_CALLS, actual: this.#length + 1 },
      });
    }
    const before = this.#tail;
    const isFirst = this.isQuiet;
    let leave = () => {};
    const left = new Promise<void>((resolve) => {
      leave = resolve;
    });
    this.#tail = before.then(() => left);
    this.#length += 1;
    try {
      if (!isFirst) await waitWithin(before, scope, 'not_applied');
      return await work();
    } finally {
      this.#length -= 1;
      leave();
    }
  }

  /** Resolves when the calls that are queued now have run. */
  async whenQuiet(): Promise<void> {
    await this.#tail;
  }
}
