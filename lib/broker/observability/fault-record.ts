import type { Fault } from './fault.ts';

/** A fault that lasts is told again after so long, and one that comes and goes is not told more often. */
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

/** `began`: it is new, or has another cause now. `lasts`: it was told before. `ended`: it works again. */
export type FaultNews = 'began' | 'lasts' | 'ended';

/** @param failedCalls calls that failed since the last news. */
type FaultListener = (news: FaultNews, fault: LastingFault, failedCalls: number) => void;

/**
 * Whether something works, and for how long it has not. Its listener hears at once when it breaks, when the cause
 * changes and when it works again, and each minute while it lasts: of one cause not more often than that.
 */
export class FaultRecord {
  #fault: Fault | undefined;
  #sinceMs = 0;
  #atMs = 0;
  #times = 0;
  #failedCalls = 0;
  /** The fault that lasts was told. */
  #isTold = false;
  /** By cause: when it was last told. */
  readonly #toldAtMs = new Map<string, number>();
  #listener: FaultListener = () => undefined;

  onNews(listener: FaultListener): void {
    this.#listener = listener;
  }

  /** Undefined while it works, as far as is known. */
  get current(): LastingFault | undefined {
    if (this.#fault === undefined) return undefined;
    const [since, at] = [this.#sinceMs, this.#atMs].map((ms) => new Date(ms).toISOString());
    return { ...this.#fault, since: since ?? '', at: at ?? '', times: this.#times };
  }

  /** It did not work just now. */
  failed(fault: Fault): void {
    const nowMs = Date.now();
    if (this.#fault === undefined) {
      this.#sinceMs = nowMs;
      this.#times = 0;
      this.#failedCalls = 0;
    }
    this.#fault = fault;
    this.#atMs = nowMs;
    this.#times += 1;
    if (this.#isDue(fault, nowMs)) this.#tell(this.#isTold && !this.#isNew(fault) ? 'lasts' : 'began', nowMs);
  }

  /** A call failed, whether for this or for what came of it. */
  callFailed(): void {
    this.#failedCalls += 1;
  }

  /** It worked just now. */
  worked(): void {
    if (this.#fault === undefined) return;
    if (this.#isTold) this.#tell('ended', Date.now());
    this.#fault = undefined;
    this.#isTold = false;
  }

  /** Tells again of what lasts, if it is time. */
  remind(): void {
    const nowMs = Date.now();
    if (this.#fault !== undefined && this.#isDue(this.#fault, nowMs))
      this.#tell(this.#isTold ? 'lasts' : 'began', nowMs);
  }

  #isNew(fault: Fault): boolean {
    return !this.#toldAtMs.has(keyOf(fault));
  }

  #isDue(fault: Fault, nowMs: number): boolean {
    const toldAtMs = this.#toldAtMs.get(keyOf(fault));
    return toldAtMs === undefined || nowMs - toldAtMs >= REPEAT_MS;
  }

  #tell(news: FaultNews, nowMs: number): void {
    const { current } = this;
    if (current === undefined) return;
    for (const [key, toldAtMs] of this.#toldAtMs) {
      if (nowMs - toldAtMs >= REPEAT_MS) this.#toldAtMs.delete(key);
    }
    if (news !== 'ended') this.#toldAtMs.set(keyOf(current), nowMs);
    this.#isTold = true;
    this.#listener(news, current, this.#failedCalls);
    this.#failedCalls = 0;
  }
}

function keyOf({ code, cause, errno, systemCode, setting }: Fault): string {
  return [code, cause, errno, systemCode, setting].join(' ');
}
