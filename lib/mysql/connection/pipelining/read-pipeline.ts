import { beforeRefusal } from '../../../async/before-refusal.ts';
import type { StatementTimer } from '../../../async/interruptible.ts';
import { VERDICT_WAIT_MS } from '../../../protocol/verdict-times.ts';

/** Who asked is told of a read's place on the connection, whatever becomes of its answer. */
export interface ReadPlace {
  /** What was sent before it has been answered. */
  onTurn(): void;
  /** It needs the connection no more. Once. */
  onGone(): void;
}

/** The read has lost its place on the connection through another one: to be asked again, on another connection. */
export class LostPlaceError extends Error {
  constructor(message = 'The connection was taken away because of another read', options?: ErrorOptions) {
    super(message, options);
    this.name = 'LostPlaceError';
  }
}

/** What a pipeline asks of its connection. */
interface PipelineTerms {
  /** So long a read waits at most for those that were sent before it. */
  readonly holdUpMs: number;
  /** Stops what the server is running. Resolves when nothing more can be hit; rejects if that is not known. */
  kill(): Promise<void>;
  /** Nobody can use the connection any more. */
  giveUp(): void;
  /** A read has failed, whatever that means for it. */
  onFailure(): void;
  /** Nothing that was sent behind is answered after this failure. */
  endsConnection(failure: Error): boolean;
}

/** A read that holds a place. */
interface Read {
  readonly place: ReadPlace;
  hasTurn: boolean;
  /** Its caller still waits for an answer from this connection. */
  isAwaited: boolean;
  readonly settle: (failure: Error | undefined) => void;
  /** Settles when the kill of it can hit nobody any more. Never rejects. */
  killed: Promise<void> | undefined;
}

/**
 * The reads that share a connection: all are sent at once and answered one after the other.
 *
 * - One that is to be stopped before its turn is answered by nobody: it runs all the same, and its answer is dropped.
 * - One that is to be stopped in its turn is killed. That may hit the next one, so all behind it lose their places.
 * - Whoever is behind one that loses the connection loses its place, and so does one that has waited for `holdUpMs`.
 * - When nobody waits any more for what is left, that has `VERDICT_WAIT_MS`. Then the connection is given up.
 */
export class ReadPipeline {
  readonly #terms: PipelineTerms;
  /** In the order in which they are answered. */
  readonly #reads: Read[] = [];
  #holdUpTimer: NodeJS.Timeout | undefined;
  #restTimer: NodeJS.Timeout | undefined;

  constructor(terms: PipelineTerms) {
    this.#terms = terms;
  }

  /**
   * Runs one more. Those of one moment are sent in the order of these calls.
   *
   * @param send Sends it; settles when it has been answered.
   * @returns What `send` failed with.
   * @throws {LostPlaceError} Or why `timer` has interrupted it.
   */
  async run(timer: StatementTimer, place: ReadPlace, send: () => Promise<void>): Promise<Error | undefined> {
    if (timer.errorFor !== undefined) {
      place.onGone();
      throw timer.errorFor('not_applied');
    }
    let settle: (failure: Error | undefined) => void = () => undefined;
    const settled = new Promise<Error | undefined>((resolve) => {
      settle = resolve;
    });
    const read: Read = { place, hasTurn: false, isAwaited: true, settle, killed: undefined };
    this.#reads.push(read);
    if (this.#reads.length === 1) this.#beginTurn();
    if (this.#reads.length === 2) this.#startHoldUp();
    void send().then(
      () => this.#onAnswered(read, undefined),
      (failure: Error) => this.#onAnswered(read, failure),
    );
    const first = await timer.raceInterrupt(settled);
    timer.end();
    if (typeof first === 'function') {
      this.#stop(read);
      throw first('not_applied');
    }
    if (first instanceof LostPlaceError) throw first;
    return first;
  }

  #onAnswered(read: Read, failure: Error | undefined): void {
    if (failure !== undefined) this.#terms.onFailure();
    const isLost = failure !== undefined && this.#terms.endsConnection(failure);
    this.#settle(read, isLost && !read.hasTurn ? new LostPlaceError() : failure);
    if (isLost) this.#takePlacesBehind(read);
    if (read.killed === undefined) this.#leave(read);
    else void read.killed.then(() => this.#leave(read));
  }

  #settle(read: Read, failure: Error | undefined): void {
    read.isAwaited = false;
    read.settle(failure);
  }

  #leave(read: Read): void {
    const index = this.#reads.indexOf(read);
    if (index < 0) return;
    this.#reads.splice(index, 1);
    if (this.#reads.length < 2) this.#endHoldUp();
    read.place.onGone();
    if (index === 0) this.#beginTurn();
    this.#boundRest();
  }

  #beginTurn(): void {
    const [read] = this.#reads;
    if (read === undefined || read.hasTurn) return;
    read.hasTurn = true;
    if (read.isAwaited) read.place.onTurn();
  }

  #stop(read: Read): void {
    read.isAwaited = false;
    if (read.hasTurn && this.#reads.includes(read)) {
      read.killed = this.#terms.kill().catch(() => this.#giveUp());
      this.#takePlacesBehind(read);
    }
    this.#boundRest();
  }

  #takePlacesBehind(read: Read): void {
    const behind = this.#reads.slice(this.#reads.indexOf(read) + 1);
    for (const other of behind) if (other.isAwaited) this.#settle(other, new LostPlaceError());
  }

  #startHoldUp(): void {
    const { holdUpMs } = this.#terms;
    const dueAtMs = performance.now() + holdUpMs;
    const timer = setTimeout(() => {
      beforeRefusal(dueAtMs, () => {
        const [first] = this.#reads;
        if (this.#holdUpTimer !== timer || first === undefined) return;
        this.#takePlacesBehind(first);
        this.#boundRest();
      });
    }, holdUpMs);
    this.#holdUpTimer = timer;
  }

  #endHoldUp(): void {
    clearTimeout(this.#holdUpTimer);
    this.#holdUpTimer = undefined;
  }

  /** What is left must not keep a connection that nobody waits for. */
  #boundRest(): void {
    if (this.#reads.length === 0 || this.#reads.some(({ isAwaited }) => isAwaited)) {
      clearTimeout(this.#restTimer);
      this.#restTimer = undefined;
      return;
    }
    this.#restTimer ??= setTimeout(() => this.#giveUp(), VERDICT_WAIT_MS);
  }

  #giveUp(): void {
    this.#terms.giveUp();
    const [first, ...behind] = this.#reads;
    if (first === undefined) return;
    this.#takePlacesBehind(first);
    // None of them has its turn any more.
    for (const read of [...behind, first]) this.#leave(read);
  }
}
