import type { LimitFailure } from '../errors.ts';
import type { ResultSet } from '../protocol/query.ts';
import type { WireValue } from '../protocol/values.ts';
import { describeColumn, encoderOf, type WireField } from './encode.ts';

/** Bounds of what one statement may answer. */
export interface ResultLimits {
  readonly maxRows: number;
  readonly maxResultBytes: number;
}

/** What a statement without rows reports; the part of mysql2's OK header that we rely on. */
export interface OkHeader {
  /** What the session tracker reports to have changed. */
  readonly stateChanges?: { readonly schema: string | null } | undefined;
  readonly affectedRows: number | string;
  readonly changedRows: number;
  readonly insertId: number | string;
  readonly warningStatus?: number | undefined;
}

/** What a statement did, as MySQL told it. */
export interface StatementResult extends ResultSet {
  readonly affectedRows: number;
  readonly changedRows: number;
  readonly insertId: string | null;
  readonly warnings: number | null;
  readonly resultSets?: readonly ResultSet[];
}

/** Bytes that a cell needs in the reply besides its own. */
const CELL_OVERHEAD_BYTES = 1;

/**
 * Takes in what a statement answers, row by row, up to its limits. Beyond them it keeps nothing: memory stays
 * bounded by the limits, however much the server still sends.
 */
export class ResultCollector {
  readonly #limits: ResultLimits;
  readonly #onExceeded: (limit: LimitFailure) => void;
  readonly #sets: { columns: ResultSet['columns']; rows: WireValue[][] }[] = [];
  #encoders: ((cell: Buffer) => WireValue)[] = [];
  #header: OkHeader | undefined;
  #rowCount = 0;
  #bytes = 0;
  #isExceeded = false;

  /** `onExceeded` is called once, with the limit that the result ran into. */
  constructor(limits: ResultLimits, onExceeded: (limit: LimitFailure) => void) {
    this.#limits = limits;
    this.#onExceeded = onExceeded;
  }

  startSet(fields: readonly WireField[]): void {
    const columns = fields.map(describeColumn);
    this.#encoders = columns.map((column) => encoderOf(column.type));
    this.#sets.push({ columns, rows: [] });
  }

  addRow(cells: readonly (Buffer | null)[]): void {
    if (this.#isExceeded) return;
    this.#rowCount += 1;
    if (this.#rowCount > this.#limits.maxRows) {
      this.#exceed('maxRows', this.#limits.maxRows, this.#rowCount);
      return;
    }
    const row: WireValue[] = [];
    for (const [index, cell] of cells.entries()) {
      this.#bytes += CELL_OVERHEAD_BYTES + (cell?.length ?? 0);
      row.push(cell === null ? null : (this.#encoders[index]?.(cell) ?? null));
    }
    if (this.#bytes > this.#limits.maxResultBytes) {
      this.#exceed('maxResultBytes', this.#limits.maxResultBytes, this.#bytes);
      return;
    }
    this.#sets.at(-1)?.rows.push(row);
  }

  finishStatement(header: OkHeader): void {
    this.#header = header;
  }

  result(): StatementResult {
    const [first = { columns: [], rows: [] }] = this.#sets;
    const header = this.#header;
    return {
      ...first,
      affectedRows: Number(header?.affectedRows ?? 0),
      changedRows: header?.changedRows ?? 0,
      insertId: header === undefined ? null : insertIdOf(header),
      warnings: header?.warningStatus ?? null,
      ...(this.#sets.length > 1 ? { resultSets: this.#sets } : {}),
    };
  }

  #exceed(name: string, max: number, actual: number): void {
    this.#isExceeded = true;
    this.#sets.length = 0;
    this.#onExceeded({ name, max, actual });
  }
}

/** mysql2 reads the number as signed; an AUTO_INCREMENT column may be BIGINT UNSIGNED. */
function insertIdOf({ insertId }: OkHeader): string | null {
  const id = BigInt.asUintN(64, BigInt(insertId));
  return id === 0n ? null : id.toString();
}
