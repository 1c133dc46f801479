import { type CellForm, cellFormOf, describeColumn, type WireField } from './encode.ts';
import { JsonBytes } from './json-bytes.ts';
import { type RowPacket, writeRow } from './row-packet.ts';

/** Writes sets of rows as lines of JSON: `{"columns": [...]}`, then `{"rows": [...]}` as often as they are taken. */
export class RowLines {
  readonly #json = new JsonBytes();
  #forms: readonly CellForm[] = [];
  /** A line of rows is being written. */
  #isInRows = false;

  /** Bytes that wait to be taken. */
  get length(): number {
    return this.#json.length;
  }

  startSet(fields: readonly WireField[]): void {
    this.#endLine();
    const columns = fields.map(describeColumn);
    this.#forms = columns.map(({ type }) => cellFormOf(type));
    this.#json.add(`${JSON.stringify({ columns })}\n`);
  }

  addRow(row: RowPacket): void {
    this.#json.addToken(this.#isInRows ? ',' : '{"rows":[');
    this.#isInRows = true;
    writeRow(this.#json, row, this.#forms);
  }

  take(): Buffer {
    this.#endLine();
    return this.#json.take();
  }

  #endLine(): void {
    if (this.#isInRows) this.#json.addToken(']}\n');
    this.#isInRows = false;
  }
}
