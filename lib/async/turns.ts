import type { CancelSignal } from './cancellation.ts';
import { throwIfStopped } from './cancellation.ts';

/** Work in parts, none of which takes longer than some milliseconds: it pauses at each `yield`. */
export type Parts<T> = Generator<undefined, T, undefined>;

/** Does all of it in one go: for work that is known to be small. */
export function atOnce<T>(work: Parts<T>): T {
  for (;;) {
    const part = work.next();
    if (part.done === true) return part.value;
  }
}

/**
 * Does each part in a turn of the event loop, so that other calls are served in between. However many works are under
 * way, each turn does one part of one of them.
 *
 * @throws the reason of the signal, at the next pause.
 */
export async function inTurns<T>(work: Parts<T>, signal?: CancelSignal): Promise<T> {
  for (;;) {
    await nextTurn();
    throwIfStopped(signal);
    const part = work.next();
    if (part.done === true) return part.value;
  }
}

let lastTurn: Promise<void> = Promise.resolve();

/** Resolves in a turn of the event loop that is nobody else's. */
function nextTurn(): Promise<void> {
  lastTurn = lastTurn.then(
    () =>
      new Promise<void>((resolve) => {
        setImmediate(resolve);
      }),
  );
  return lastTurn;
}
