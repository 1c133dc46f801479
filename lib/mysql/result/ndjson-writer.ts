import type { ColumnSet } from './column-definitions.ts';
import type { CellEncoding } from './column-types.ts';
import { JsonWriter } from './json-writer.ts';
import type { PacketBytes } from './packet-reader.ts';
import { writeRow } from './text-row.ts';

/** Writes sets of rows as lines of JSON: `{"columns": [...]}`, then `{"rows": [...]}` as often as they are taken. */
export class NdjsonWriter {
  readonly #json = new JsonWriter();
  #forms: readonly CellEncoding[] = [];
  /** A line of rows is being written. */
  #isInRows = false;

  /** Bytes that wait to be taken. */
  get length(): number {
    return this.#json.length;
  }

  startSet({ json, forms }: ColumnSet): void {
    this.#endLine();
    this.#forms = forms;
    this.#json.addToken('{"columns":');
    this.#json.add(json);
    this.#json.addToken('}\n');
  }

  addRow(row: PacketBytes): void {
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
