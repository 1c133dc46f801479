import type { LimitFailure } from '../errors.ts';
import type { ResultSet } from '../protocol/query.ts';
import type { WireValue } from '../protocol/values.ts';
import { type CellEncoder, describeColumn, encoderOf, NULL_JSON_BYTES, type WireField } from './encode.ts';
import { effectsOf, type OkHeader, type StatementEffects } from './ok-header.ts';

/** Bounds of what one statement may answer. */
export interface ResultLimits {
  readonly maxRows: number;
  readonly maxResultBytes: number;
  /** What results of the same reply have taken of `maxResultBytes` already. Default 0. */
  readonly usedBytes?: number | undefined;
}

/** What a statement did, as MySQL told it. */
export interface StatementResult extends ResultSet, StatementEffects {
  readonly resultSets?: readonly ResultSet[];
}

/** Bytes that a row takes in the reply besides its cells. */
const ROW_JSON_BYTES = 3;
/** Bytes that the description of a column takes besides its name. */
const COLUMN_JSON_BYTES = 80;

/**
 * Takes in what a statement answers, row by row, up to its limits. Beyond them it keeps nothing: memory stays
 * bounded by the limits, however much the server still sends.
 */
export class ResultCollector {
  readonly #limits: ResultLimits;
  readonly #onExceeded: (limit: LimitFailure) => void;
  readonly #sets: { columns: ResultSet['columns']; rows: WireValue[][] }[] = [];
  #encoders: CellEncoder[] = [];
  #header: OkHeader | undefined;
  #rowCount = 0;
  #bytes: number;
  #isExceeded = false;

  /** `onExceeded` is called once, with the limit that the result ran into. */
  constructor(limits: ResultLimits, onExceeded: (limit: LimitFailure) => void) {
    this.#limits = limits;
    this.#bytes = limits.usedBytes ?? 0;
    this.#onExceeded = onExceeded;
  }

  startSet(fields: readonly WireField[]): void {
    if (this.#isExceeded) return;
    const columns = fields.map(describeColumn);
    this.#encoders = columns.map((column) => encoderOf(column.type));
    this.#sets.push({ columns, rows: [] });
    for (const { name } of columns) this.#bytes += COLUMN_JSON_BYTES + name.length;
    this.#checkBytes();
  }

  addRow(cells: readonly (Buffer | null)[]): void {
    if (this.#isExceeded) return;
    this.#rowCount += 1;
    if (this.#rowCount > this.#limits.maxRows) {
      this.#exceed('maxRows', this.#limits.maxRows, this.#rowCount);
      return;
    }
    const row: WireValue[] = [];
    this.#bytes += ROW_JSON_BYTES;
    for (const [index, cell] of cells.entries()) {
      const encoder = this.#encoders[index];
      if (cell === null || encoder === undefined) {
        this.#bytes += NULL_JSON_BYTES;
        row.push(null);
      } else {
        this.#bytes += encoder.jsonBytes(cell.length);
        row.push(encoder.encode(cell));
      }
    }
    this.#sets.at(-1)?.rows.push(row);
    this.#checkBytes();
  }

  finishStatement(header: OkHeader): void {
    this.#header = header;
  }

  result(): StatementResult {
    const [first = { columns: [], rows: [] }] = this.#sets;
    return {
      ...first,
      ...effectsOf(this.#header),
      ...(this.#sets.length > 1 ? { resultSets: this.#sets } : {}),
    };
  }

  #checkBytes(): void {
    const { maxResultBytes } = this.#limits;
    if (this.#bytes > maxResultBytes) this.#exceed('maxResultBytes', maxResultBytes, this.#bytes);
  }

  #exceed(name: string, max: number, actual: number): void {
    this.#isExceeded = true;
    this.#sets.length = 0;
    this.#onExceeded({ name, max, actual });
  }
}
