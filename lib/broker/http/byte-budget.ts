import { BrokerError, type LimitFailure } from '../../errors.ts';
import { COST_OF_BODY_BYTE, SHARE_FOR_SMALL } from '../../settings/buffered-bytes.ts';

/** What is no larger than this may use the part of the budget that is kept for such: large ones leave room for everybody else. */
const SMALL_BYTES = 65_536;
/** Bounds what the bodies of all calls in line and the replies under way take together. */
export class ByteBudget {
  readonly maxBytes: number;
  #usedBytes = 0;
  #refusals = 0;

  constructor(maxBytes: number) {
    this.maxBytes = maxBytes;
  }

  get usedBytes(): number {
    return this.#usedBytes;
  }

  /** Of calls that found no room. */
  get refusals(): number {
    return this.#refusals;
  }

  /** Counts more, or less, whether there is room or not. */
  add(bytes: number): void {
    this.#usedBytes += bytes;
  }

  /** Counts more for a call that has so many already, if there is room; else returns the limit. */
  take(bytes: number, heldBytes: number): LimitFailure | undefined {
    const keptBytes = heldBytes + bytes <= SMALL_BYTES ? 0 : this.maxBytes * SHARE_FOR_SMALL;
    const actual = Math.ceil(this.#usedBytes + bytes + keptBytes);
    if (actual > this.maxBytes) {
      this.#refusals += 1;
      return { name: 'maxBufferedBytes', max: this.maxBytes, actual };
    }
    this.#usedBytes += bytes;
    return undefined;
  }
}

/** What one call has of the budget. */
export class HeldBytes {
  readonly #budget: ByteBudget;
  #bodyBytes = 0;
  #replyBytes = 0;

  constructor(budget: ByteBudget) {
    this.#budget = budget;
  }

  /**
   * Counts a body of so many bytes, in place of what was counted of it.
   *
   * @throws {BrokerError} OVERLOADED
   */
  holdBody(bodyBytes: number): void {
    const bytes = COST_OF_BODY_BYTE * bodyBytes;
    const limit = this.#take(bytes - this.#bodyBytes);
    if (limit !== undefined) throw overloaded(limit);
    this.#bodyBytes = bytes;
  }

  /** The same for what was collected for its reply. Returns the failure where there is no room. */
  holdResult(bytes: number): BrokerError | undefined {
    if (bytes <= this.#replyBytes) return undefined;
    const limit = this.#take(bytes - this.#replyBytes);
    if (limit !== undefined) return overloaded(limit);
    this.#replyBytes = bytes;
    return undefined;
  }

  /** In place of all: a reply of which so much waits to be taken. It is there, so it is not refused. */
  holdReply(bytes: number): void {
    this.#budget.add(bytes - this.#bodyBytes - this.#replyBytes);
    this.#bodyBytes = 0;
    this.#replyBytes = bytes;
  }

  #take(bytes: number): LimitFailure | undefined {
    return this.#budget.take(bytes, this.#bodyBytes + this.#replyBytes);
  }
}

function overloaded(limit: LimitFailure): BrokerError {
  return new BrokerError(
    'OVERLOADED',
    'The broker holds as many bytes of requests and replies as server.maxBufferedBytes allows',
    { limit },
  );
}
