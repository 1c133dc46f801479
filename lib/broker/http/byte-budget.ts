import { BrokerError, type LimitFailure } from '../../errors.ts';
import { COST_OF_BODY_BYTE, SHARE_FOR_SMALL } from '../../settings/buffered-bytes.ts';

/** Calls up to this size may use all of the budget. Larger ones must leave `SHARE_FOR_SMALL` of it free. */
const SMALL_BYTES = 65_536;

/** Bounds what the bodies of waiting calls and the replies under way take together. */
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

  /** How many calls found no room. */
  get refusals(): number {
    return this.#refusals;
  }

  /** Adds bytes, or with a negative number removes them, without a check. */
  add(bytes: number): void {
    this.#usedBytes += bytes;
  }

  /** Adds bytes of a call that already holds `heldBytes`, if there is room; else returns the limit. */
  reserve(bytes: number, heldBytes: number): LimitFailure | undefined {
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

/** The bytes of one call in the budget. */
export class HeldBytes {
  readonly #budget: ByteBudget;
  #bodyBytes = 0;
  #replyBytes = 0;

  constructor(budget: ByteBudget) {
    this.#budget = budget;
  }

  /**
   * Counts the call's body, in place of its former size.
   *
   * @throws {BrokerError} OVERLOADED
   */
  holdBody(bodyBytes: number): void {
    const bytes = COST_OF_BODY_BYTE * bodyBytes;
    const limit = this.#reserve(bytes - this.#bodyBytes);
    if (limit !== undefined) throw overloaded(limit);
    this.#bodyBytes = bytes;
  }

  /** Counts the result collected so far. Returns the failure if there is no room. */
  holdResult(bytes: number): BrokerError | undefined {
    if (bytes <= this.#replyBytes) return undefined;
    const limit = this.#reserve(bytes - this.#replyBytes);
    if (limit !== undefined) return overloaded(limit);
    this.#replyBytes = bytes;
    return undefined;
  }

  /** Counts the unsent bytes of the reply in place of body and result. Never refused: the bytes exist already. */
  holdReply(bytes: number): void {
    this.#budget.add(bytes - this.#bodyBytes - this.#replyBytes);
    this.#bodyBytes = 0;
    this.#replyBytes = bytes;
  }

  #reserve(bytes: number): LimitFailure | undefined {
    return this.#budget.reserve(bytes, this.#bodyBytes + this.#replyBytes);
  }
}

function overloaded(limit: LimitFailure): BrokerError {
  return new BrokerError(
    'OVERLOADED',
    'The broker holds as many bytes of requests and replies as server.maxBufferedBytes allows',
    { limit },
  );
}
