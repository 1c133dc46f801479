/**
 * Two-generation cache: keeps between maxSize/2 and maxSize recent entries without an LRU write on every read.
 */
export class TwoGenerationCache<V> {
  readonly #halfSize: number;
  #newer = new Map<string, V>();
  #older: ReadonlyMap<string, V> = new Map();

  constructor(maxSize: number) {
    this.#halfSize = maxSize / 2;
  }

  get(key: string): V | undefined {
    const value = this.#newer.get(key);
    if (value !== undefined) return value;
    const older = this.#older.get(key);
    if (older !== undefined) this.set(key, older);
    return older;
  }

  set(key: string, value: V): void {
    if (this.#newer.size >= this.#halfSize) {
      this.#older = this.#newer;
      this.#newer = new Map();
    }
    this.#newer.set(key, value);
  }
}
