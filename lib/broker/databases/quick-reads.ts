import { EventLoopLag } from '../../async/event-loop-lag.ts';
import { holdUpOf } from '../../mysql/connection/connector.ts';
import type { BoundStatement } from '../../mysql/sql/binding/bind.ts';
import type { PoolSettings } from '../../settings/settings.ts';

/** What one run counts among those before it: about the last two hundred are seen. */
const WEIGHT = 0.005;
/** Below this share of slow runs the 99th percentile is a quick one. */
const MAX_SLOW_SHARE = 0.01;
/** Of a text that nothing is known of: ten quick runs bring it below the bound. */
const UNKNOWN_SLOW_SHARE = 0.0105;

/** What the last runs of a text took. */
interface Pace {
  /** Those that took too long, weighted. */
  slowShare: number;
}

type Read = Pick<BoundStatement, 'source' | 'isRead' | 'isLong'>;

/** Measures the reads of a database, by their text, and knows which of them are quick enough to share a connection. */
export class QuickReads {
  readonly #fasterThanMs: number;
  /** For so long it would have held up those behind it. */
  readonly #holdUpMs: number;
  readonly #isOff: boolean;
  /** Each is kept as long as the scan of its text. */
  readonly #paces = new WeakMap<object, Pace>();
  readonly #lag = new EventLoopLag();

  constructor({ maxPipelined, pipelineFasterThanMs, resetOnCheckin }: PoolSettings) {
    // The others want a reset between any two calls.
    this.#isOff = maxPipelined === 1 || resetOnCheckin !== 'auto';
    this.#fasterThanMs = pipelineFasterThanMs;
    this.#holdUpMs = holdUpOf({ maxPipelined, pipelineFasterThanMs });
  }

  /** It may share a connection: it is a plain SELECT that cannot write, short, and was quick 99 times of 100. */
  isQuick({ source, isRead, isLong }: Read): boolean {
    if (this.#isOff || !isRead || isLong) return false;
    // That the lag knows of this round.
    this.#lag.mostMs(performance.now());
    const pace = this.#paces.get(source);
    return pace !== undefined && pace.slowShare < MAX_SLOW_SHARE;
  }

  /**
   * It has run, alone or behind others, and its answer was seen at this moment, so long after its turn had come. Of that,
   * what this process may have been late to look is not its own time.
   *
   * @param isBehind Its time began with the end of the read before it, so that it holds nothing but its own. Another one
   *   includes the way there and back and the server's wait for a CPU: it is slow only if it would have held up others.
   */
  note({ source, isRead, isLong }: Read, durationMs: number, isBehind = false): void {
    if (this.#isOff || !isRead || isLong) return;
    let pace = this.#paces.get(source);
    if (pace === undefined) {
      pace = { slowShare: UNKNOWN_SLOW_SHARE };
      this.#paces.set(source, pace);
    }
    const ownMs = durationMs - this.#lag.mostMs(performance.now());
    const isSlow = ownMs >= this.#fasterThanMs;
    if (isSlow && !isBehind && ownMs < this.#holdUpMs) return;
    pace.slowShare += WEIGHT * (Number(isSlow) - pace.slowShare);
  }
}
