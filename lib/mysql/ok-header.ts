/** What a statement without rows reports; the part of mysql2's OK header that we rely on. */
export interface OkHeader {
  /** What the session tracker reports to have changed. */
  readonly stateChanges?: { readonly schema: string | null } | undefined;
  readonly affectedRows: number | string;
  readonly changedRows: number;
  readonly insertId: number | string;
  readonly warningStatus?: number | undefined;
  /** Flags of the session, SERVER_STATUS_IN_TRANS among them. */
  readonly serverStatus?: number | undefined;
}

/** What a statement did besides answering rows. */
export interface StatementEffects {
  readonly affectedRows: number;
  readonly changedRows: number;
  readonly insertId: string | null;
  readonly warnings: number | null;
}

/** `header` is undefined for a statement that answered rows only. */
export function effectsOf(header: OkHeader | undefined): StatementEffects {
  return {
    affectedRows: Number(header?.affectedRows ?? 0),
    changedRows: header?.changedRows ?? 0,
    insertId: header === undefined ? null : insertIdOf(header),
    warnings: header?.warningStatus ?? null,
  };
}

/** mysql2 reads the number as signed; an AUTO_INCREMENT column may be BIGINT UNSIGNED. */
function insertIdOf({ insertId }: OkHeader): string | null {
  const id = BigInt.asUintN(64, BigInt(insertId));
  return id === 0n ? null : id.toString();
}
