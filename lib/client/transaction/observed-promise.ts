/** A promise that knows whether anybody has asked what becomes of it. Its failure alone ends no process. */
export class ObservedPromise<T> extends Promise<T> {
  /** What is chained to it is an ordinary promise. */
  static override get [Symbol.species](): PromiseConstructor {
    return Promise;
  }

  #isHeeded = false;

  static of<T>(work: Promise<T>): ObservedPromise<T> {
    const promise = new ObservedPromise<T>((resolve) => resolve(work));
    void Promise.prototype.then.call(promise, undefined, () => undefined);
    return promise;
  }

  get isObserved(): boolean {
    return this.#isHeeded;
  }

  /** `await`, `catch`, `finally` and `Promise.all` come here too. */
  override then<A = T, B = never>(
    onFulfilled?: ((value: T) => A | PromiseLike<A>) | null,
    onRejected?: ((reason: unknown) => B | PromiseLike<B>) | null,
  ): Promise<A | B> {
    this.#isHeeded = true;
    return super.then(onFulfilled, onRejected);
  }
}
