/** A value that is often known at once: a promise of it would cost a hot path one more turn of the microtask queue. */
export type MaybePromise<T> = T | Promise<T>;

/** Calls `next` with the value: at once if it is known, else when it resolves. */
export function chain<T, U>(value: MaybePromise<T>, next: (value: T) => U): MaybePromise<U> {
  return value instanceof Promise ? value.then(next) : next(value);
}
