import type { Fault } from './fault.ts';

/** A fault of one cause is reported at most this often. */
const REPEAT_MS = 60_000;

/** A fault that lasts. */
export interface LastingFault extends Fault {
  /** When it began, as ISO 8601. */
  readonly since: string;
  /** When it was last seen, as ISO 8601. */
  readonly at: string;
  /** How often it was seen since it began. */
  readonly times: number;
}

/** `began`: new, or with another cause. `lasts`: reported before. `ended`: it works again. */
export type FaultChange = 'began' | 'lasts' | 'ended';

/** @param failedCalls calls that failed since the last report. */
type FaultListener = (change: FaultChange, fault: LastingFault, failedCalls: number) => void;

/**
 * Whether something works, and since when it does not. Its listener is called when a fault begins, changes its cause or
 * ends, and each minute while it lasts, but not more often for the same cause.
 */
export class FaultRecord {
  #fault: Fault | undefined;
  #sinceMs = 0;
  #atMs = 0;
  #times = 0;
  #failedCalls = 0;
  /** The current fault was reported. */
  #isReported = false;
  /** When each cause was last reported. */
  readonly #reportedAtMs = new Map<string, number>();
  #listener: FaultListener = () => undefined;

  onChange(listener: FaultListener): void {
    this.#listener = listener;
  }

  /** Undefined while it works, as far as is known. */
  get current(): LastingFault | undefined {
    if (this.#fault === undefined) return undefined;
    const [since, at] = [this.#sinceMs, this.#atMs].map((ms) => new Date(ms).toISOString());
    return { ...this.#fault, since: since ?? '', at: at ?? '', times: this.#times };
  }

  /** It failed just now. */
  noteFailure(fault: Fault): void {
    const nowMs = Date.now();
    if (this.#fault === undefined) {
      this.#sinceMs = nowMs;
      this.#times = 0;
      this.#failedCalls = 0;
    }
    this.#fault = fault;
    this.#atMs = nowMs;
    this.#times += 1;
    if (this.#isDue(fault, nowMs))
      this.#report(this.#isReported && !this.#isNew(fault) ? 'lasts' : 'began', nowMs);
  }

  /** A call failed, because of this or of its consequences. */
  noteFailedCall(): void {
    this.#failedCalls += 1;
  }

  /** It worked just now. */
  noteSuccess(): void {
    if (this.#fault === undefined) return;
    if (this.#isReported) this.#report('ended', Date.now());
    this.#fault = undefined;
    this.#isReported = false;
  }

  /** Reports a lasting fault again, if it is time. */
  repeatIfDue(): void {
    const nowMs = Date.now();
    if (this.#fault !== undefined && this.#isDue(this.#fault, nowMs))
      this.#report(this.#isReported ? 'lasts' : 'began', nowMs);
  }

  #isNew(fault: Fault): boolean {
    return !this.#reportedAtMs.has(keyOf(fault));
  }

  #isDue(fault: Fault, nowMs: number): boolean {
    const toldAtMs = this.#reportedAtMs.get(keyOf(fault));
    return toldAtMs === undefined || nowMs - toldAtMs >= REPEAT_MS;
  }

  #report(change: FaultChange, nowMs: number): void {
    const { current } = this;
    if (current === undefined) return;
    for (const [key, toldAtMs] of this.#reportedAtMs) {
      if (nowMs - toldAtMs >= REPEAT_MS) this.#reportedAtMs.delete(key);
    }
    if (change !== 'ended') this.#reportedAtMs.set(keyOf(current), nowMs);
    this.#isReported = true;
    this.#listener(change, current, this.#failedCalls);
    this.#failedCalls = 0;
  }
}

/** Logins that run at once may fail by one cause with several codes, as ECONNRESET and EPIPE. */
function keyOf({ cause, errno, setting }: Fault): string {
  return [cause, errno, setting].join(' ');
}
