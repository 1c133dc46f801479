import type { CancelSignal } from './cancellation.ts';
import { throwIfCanceled } from './cancellation.ts';

/** Work in parts of at most some milliseconds, with a pause at each `yield`. */
export type Parts<T> = Generator<undefined, T, undefined>;

/** Runs all parts without a pause: for work that is known to be small. */
export function atOnce<T>(work: Parts<T>): T {
  for (;;) {
    const part = work.next();
    if (part.done === true) return part.value;
  }
}

/**
 * Runs one part in each turn of the event loop, so that other calls are served in between. All work shares the turns: each
 * runs one part of one work.
 *
 * @throws the reason of the signal, at the next pause.
 */
export async function inTurns<T>(work: Parts<T>, signal?: CancelSignal): Promise<T> {
  for (;;) {
    await nextTurn();
    throwIfCanceled(signal);
    const part = work.next();
    if (part.done === true) return part.value;
  }
}

let lastTurn: Promise<void> = Promise.resolve();

/** Resolves in a turn of the event loop of its own. */
function nextTurn(): Promise<void> {
  lastTurn = lastTurn.then(
    () =>
      new Promise<void>((resolve) => {
        setImmediate(resolve);
      }),
  );
  return lastTurn;
}
