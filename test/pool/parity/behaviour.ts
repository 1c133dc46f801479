/**
 * SQLAlchemy's QueuePool behaviours, each with what became of it here. The numbers are those of the rows, and stand
 * in brackets at the head of each test's name that proves one.
 */
export type Behaviour = Proven | NotTaken;

interface Proven {
  /** The behaviour as it is here. */
  readonly promise: string;
  /** The test files that prove it, below `test/` and without `.test.ts`. */
  readonly provenIn: readonly string[];
}

interface NotTaken {
  /** The behaviour as it is there. */
  readonly promise: string;
  readonly because: string;
}

export function proven(promise: string, ...provenIn: readonly string[]): Proven {
  return { promise, provenIn };
}

export function notTaken(promise: string, because: string): NotTaken {
  return { promise, because };
}
