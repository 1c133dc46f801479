import type { CommandRunner } from '../connection/command-runner.ts';
import { statementTooLarge } from '../sql/binding/placeholder-values.ts';
import { bytesOver, type SqlText } from '../sql/binding/sql-text.ts';

/** The first byte of a packet is its command, and a packet must be shorter than the limit. */
const BYTES_BESIDE_TEXT = 2;

/** Refuses statements beyond the server's `max_allowed_packet`, on which it would hang up. */
export class PacketLimit {
  readonly #runCommand: CommandRunner;
  #maxTextBytes = Number.POSITIVE_INFINITY;

  constructor(runCommand: CommandRunner) {
    this.#runCommand = runCommand;
  }

  /** Reads the limit, which does not change during a session. */
  async begin(): Promise<void> {
    const [[bytes] = []] = await this.#runCommand('SELECT @@SESSION.max_allowed_packet');
    this.#maxTextBytes = Number(bytes) - BYTES_BESIDE_TEXT;
  }

  /** @throws {BrokerError} REQUEST_TOO_LARGE. */
  check(sql: SqlText): void {
    const actual = bytesOver(sql, this.#maxTextBytes);
    if (actual === undefined) return;
    throw statementTooLarge('max_allowed_packet', this.#maxTextBytes, actual);
  }
}
