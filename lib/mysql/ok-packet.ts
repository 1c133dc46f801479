import { type PacketBytes, PacketReader } from './packet-reader.ts';
import { readSessionChanges, type SessionChanges } from './session-changes.ts';

/** What the server reports of a statement without rows (OK_Packet of MySQL's protocol). */
export interface OkPacket {
  readonly affectedRows: number;
  readonly changedRows: number;
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
    changedRows: Number(/\schanged: *(\d+)/i.exec(info)?.[1] ?? 0),
    insertId,
    warnings,
    status,
    changes: tracksSession && (status & STATE_CHANGED) !== 0 ? readSessionChanges(reader) : undefined,
  };
}

/** What a statement did besides answering rows. */
export interface StatementEffects {
  readonly affectedRows: number;
  readonly changedRows: number;
  readonly insertId: string | null;
  readonly warnings: number | null;
}

/** `ok` is undefined for a statement that answered rows only. */
export function effectsOf(ok: OkPacket | undefined): StatementEffects {
  if (ok === undefined) return { affectedRows: 0, changedRows: 0, insertId: null, warnings: null };
  const { affectedRows, changedRows, insertId, warnings } = ok;
  return { affectedRows, changedRows, insertId: insertId === 0 ? null : insertId.toString(), warnings };
}
