import type { Ask } from '../connection/own-statement.ts';
import { statementTooLarge } from '../sql/binding/placeholder-values.ts';
import { bytesOver, type SqlText } from '../sql/binding/sql-text.ts';

/** The first byte of a packet names its command; of what is as long as the limit, the server takes nothing. */
const BYTES_BESIDE_TEXT = 2;

/** Keeps from a server what it would hang up on: a statement beyond its `max_allowed_packet`. */
export class PacketLimit {
  readonly #ask: Ask;
  #maxTextBytes = Number.POSITIVE_INFINITY;

  constructor(ask: Ask) {
    this.#ask = ask;
  }

  /** Reads the limit, which a session keeps from its login on. */
  async begin(): Promise<void> {
    const [[bytes] = []] = await this.#ask('SELECT @@SESSION.max_allowed_packet');
    this.#maxTextBytes = Number(bytes) - BYTES_BESIDE_TEXT;
  }

  /** @throws {BrokerError} REQUEST_TOO_LARGE. */
  check(sql: SqlText): void {
    const actual = bytesOver(sql, this.#maxTextBytes);
    if (actual === undefined) return;
    throw statementTooLarge('max_allowed_packet', this.#maxTextBytes, actual);
  }
}
