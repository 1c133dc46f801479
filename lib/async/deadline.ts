/** The moment by which all of a call must be done, passed down instead of nested timeouts. */
export class Deadline {
  /** On the monotonic clock of `performance.now()`. */
  readonly atMs: number;

  constructor(atMs: number) {
    this.atMs = atMs;
  }

  static after(durationMs: number): Deadline {
    return new Deadline(performance.now() + durationMs);
  }

  /** Never negative. */
  get remainingMs(): number {
    return Math.max(0, this.atMs - performance.now());
  }

  get hasPassed(): boolean {
    return performance.now() >= this.atMs;
  }

  plus(durationMs: number): Deadline {
    return new Deadline(this.atMs + durationMs);
  }

  isBefore(other: Deadline): boolean {
    return this.atMs < other.atMs;
  }
}
