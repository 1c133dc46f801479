/**
 * A promise that records whether a handler was attached, so that an unobserved failure rolls the transaction back instead
 * of becoming an unhandledRejection.
 */
export class ObservedPromise<T> extends Promise<T> {
  /** Promises chained to it are ordinary ones. */
  static override get [Symbol.species](): PromiseConstructor {
    return Promise;
  }

  #isObserved = false;

  static of<T>(work: Promise<T>): ObservedPromise<T> {
    const promise = new ObservedPromise<T>((resolve) => resolve(work));
    void Promise.prototype.then.call(promise, undefined, () => undefined);
    return promise;
  }

  get isObserved(): boolean {
    return this.#isObserved;
  }

  /** `await`, `catch`, `finally` and `Promise.all` call it too. */
  override then<A = T, B = never>(
    onFulfilled?: ((value: T) => A | PromiseLike<A>) | null,
    onRejected?: ((reason: unknown) => B | PromiseLike<B>) | null,
  ): Promise<A | B> {
    this.#isObserved = true;
    return super.then(onFulfilled, onRejected);
  }
}
