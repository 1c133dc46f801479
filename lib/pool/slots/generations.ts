/** Counts how often all connections were declared unusable. Each connection belongs to the generation of its login. */
export class Generations {
  #current = 0;
  /** The newest that a connection was opened in. */
  #opened = -1;

  get current(): number {
    return this.#current;
  }

  /** Something was open before. */
  get hasOpened(): boolean {
    return this.#opened >= 0;
  }

  next(): void {
    this.#current += 1;
  }

  opened(generation: number): void {
    this.#opened = Math.max(generation, this.#opened);
  }

  /**
   * Whether a failure seen on a connection of this generation should invalidate the pool. A failure of an older
   * generation says nothing about newer connections; while none of the current generation was opened, there is nothing
   * to invalidate.
   */
  shouldInvalidate(generation: number): boolean {
    return generation === this.#current && generation === this.#opened;
  }
}
