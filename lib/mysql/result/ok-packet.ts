import { type PacketBytes, PacketReader } from './packet-reader.ts';
import { readSessionChanges, type SessionChanges } from './session-changes.ts';

/** The response to a statement without rows (OK_Packet of MySQL's protocol). */
export interface OkPacket {
  readonly affectedRows: number;
  /** A message for people, in the session's language. */
  readonly info: string;
  /** 0: none. */
  readonly insertId: number | bigint;
  readonly warnings: number;
  /** Status flags of the session. */
  readonly status: number;
  /** Reports of the session trackers, if any. */
  readonly changes: SessionChanges | undefined;
}

/** Status flags of the session. */
export const MORE_RESULTS = 0x0008;
const STATE_CHANGED = 0x4000;

/** @param tracksSession With reports of the session trackers, as negotiated at the login. */
export function readOkPacket(packet: PacketBytes, tracksSession: boolean): OkPacket {
  const reader = new PacketReader(packet);
  reader.integer(1);
  const affectedRows = Number(reader.lengthEncoded());
  const insertId = reader.lengthEncoded();
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
