import type { PacketReader } from './packet-reader.ts';

/** What the server's session trackers report with an OK packet: only what has changed since their last report. */
export interface SessionChanges {
  /** Values of the tracked variables as they are now, by name. */
  readonly variables: ReadonlyMap<string, string>;
  readonly hasChangedDatabase: boolean;
  /**
   * The statement that would begin the open transaction again; empty: none is open. It is there, even if it reads as
   * before, whenever a transaction has begun or ended.
   */
  readonly transaction: string | undefined;
}

/** SESSION_TRACK_SYSTEM_VARIABLES, SESSION_TRACK_SCHEMA, SESSION_TRACK_TRANSACTION_CHARACTERISTICS. */
const KINDS = { variable: 0, database: 1, transaction: 4 } as const;

/** @param reader stands behind the text of an OK packet whose flags tell of changes. */
export function readSessionChanges(reader: PacketReader): SessionChanges {
  const variables = new Map<string, string>();
  let hasChangedDatabase = false;
  let transaction: string | undefined;
  const changes = reader.isAtEnd ? undefined : reader.part();
  while (changes !== undefined && !changes.isAtEnd) {
    const kind = changes.integer(1);
    const change = changes.part();
    if (kind === KINDS.variable) variables.set(change.text(), change.text());
    else if (kind === KINDS.database) hasChangedDatabase = true;
    else if (kind === KINDS.transaction) transaction = change.text();
  }
  return { variables, hasChangedDatabase, transaction };
}
