import type { ColumnSet } from './column-definitions.ts';
import type { CellEncoding } from './column-types.ts';
import { JsonWriter } from './json-writer.ts';
import type { PacketBytes } from './packet-reader.ts';
import { writeRow } from './text-row.ts';

/** Writes result sets as NDJSON: a line `{"columns": [...]}`, then a line `{"rows": [...]}` for each `take`. */
export class NdjsonWriter {
  readonly #json = new JsonWriter();
  #encodings: readonly CellEncoding[] = [];
  /** A line of rows is being written. */
  #isInRows = false;

  /** Bytes that were not taken yet. */
  get length(): number {
    return this.#json.length;
  }

  startSet({ json, encodings }: ColumnSet): void {
    this.#endLine();
    this.#encodings = encodings;
    this.#json.addToken('{"columns":');
    this.#json.add(json);
    this.#json.addToken('}\n');
  }

  addRow(row: PacketBytes): void {
    this.#json.addToken(this.#isInRows ? ',' : '{"rows":[');
    this.#isInRows = true;
    writeRow(this.#json, row, this.#encodings);
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
