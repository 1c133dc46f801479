import { type PacketBytes, PacketReader } from './packet-reader.ts';
import { readSessionChanges, type SessionChanges } from './session-changes.ts';

/** What the server reports of a statement without rows (OK_Packet of MySQL's protocol). */
export interface OkPacket {
  readonly affectedRows: number;
  /** A sentence for people, in the language of the session. */
  readonly info: string;
  /** 0: none. */
  readonly insertId: number | bigint;
  readonly warnings: number;
  /** Flags of the session. */
  readonly status: number;
  /** What the session trackers report, if anything. */
  readonly changes: SessionChanges | undefined;
}

/** Flags of the session. */
export const MORE_RESULTS = 0x0008;
const STATE_CHANGED = 0x4000;

/** @param tracksSession With what the session tracker reports, as agreed upon at the login. */
export function readOkPacket(packet: PacketBytes, tracksSession: boolean): OkPacket {
  const reader = new PacketReader(packet);
  reader.integer(1);
  const affectedRows = Number(reader.lengthCoded());
  const insertId = reader.lengthCoded();
  const status = reader.integer(2);
  const warnings = reader.integer(2);
  const info = tracksSession && !reader.isAtEnd ? reader.text() : reader.rest();
  return {
    affectedRows,
    info,
    insertId,
    warnings,
    status,
    changes: tracksSession && (status & STATE_CHANGED) !== 0 ? readSessionChanges(reader) : undefined,
  };
}
