import { type PacketBytes, PacketReader } from './packet-reader.ts';

/** What the server reports of a statement without rows (OK_Packet of MySQL's protocol). */
export interface OkPacket {
  readonly affectedRows: number;
  readonly changedRows: number;
  /** 0: none. */
  readonly insertId: number | bigint;
  readonly warnings: number;
  /** Flags of the session. */
  readonly status: number;
  /** The session tracker reports another default database, or that what we send is taken for another character set. */
  readonly isAnotherSession: boolean;
}

/** Flags of the session. */
export const IN_TRANSACTION = 0x0001;
export const AUTOCOMMIT = 0x0002;
export const MORE_RESULTS = 0x0008;
const STATE_CHANGED = 0x4000;

/** Kinds of changes that the session tracker reports: SESSION_TRACK_SYSTEM_VARIABLES, SESSION_TRACK_SCHEMA. */
const VARIABLE = 0;
const DATABASE = 1;

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
    isAnotherSession: tracksSession && (status & STATE_CHANGED) !== 0 && tellsOfAnother(reader),
  };
}

function tellsOfAnother(reader: PacketReader): boolean {
  if (reader.isAtEnd) return false;
  for (const changes = reader.part(); !changes.isAtEnd; ) {
    const kind = changes.integer(1);
    const change = changes.part();
    if (kind === DATABASE) return true;
    if (kind === VARIABLE && change.text() === 'character_set_client' && change.text() !== 'utf8mb4')
      return true;
  }
  return false;
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
