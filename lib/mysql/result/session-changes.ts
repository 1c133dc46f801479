import type { PacketReader } from './packet-reader.ts';

/** Reports of the session trackers in an OK packet: the changes since their last report. */
export interface SessionChanges {
  /** Current values of changed variables, by name. */
  readonly variables: ReadonlyMap<string, string>;
  readonly hasChangedDatabase: boolean;
  /**
   * The statement that would begin the same transaction; empty: none is open. Reported, even if unchanged, whenever a
   * transaction has begun or ended.
   */
  readonly transaction: string | undefined;
}

/** SESSION_TRACK_SYSTEM_VARIABLES, SESSION_TRACK_SCHEMA, SESSION_TRACK_TRANSACTION_CHARACTERISTICS. */
const KINDS = { variable: 0, database: 1, transaction: 4 } as const;

/** @param reader after the message of an OK packet whose flags announce changes. */
export function readSessionChanges(reader: PacketReader): SessionChanges {
  const variables = new Map<string, string>();
  let hasChangedDatabase = false;
  let transaction: string | undefined;
  const changes = reader.isAtEnd ? undefined : reader.nested();
  while (changes !== undefined && !changes.isAtEnd) {
    const kind = changes.integer(1);
    const change = changes.nested();
    if (kind === KINDS.variable) variables.set(change.text(), change.text());
    else if (kind === KINDS.database) hasChangedDatabase = true;
    else if (kind === KINDS.transaction) transaction = change.text();
  }
  return { variables, hasChangedDatabase, transaction };
}
