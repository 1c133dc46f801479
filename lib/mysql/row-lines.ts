import { type CellEncoder, describeColumn, encoderOf, type WireField } from './encode.ts';

/** Writes sets of rows as lines of JSON: `{"columns": [...]}`, then `{"rows": [...]}` as often as they are taken. */
export class RowLines {
  #encoders: readonly CellEncoder[] = [];
  #lines = '';
  /** Of the line that is being written. */
  #rows = '';

  /** Characters that wait to be taken. */
  get length(): number {
    return this.#lines.length + this.#rows.length;
  }

  startSet(fields: readonly WireField[]): void {
    this.#endLine();
    const columns = fields.map(describeColumn);
    this.#encoders = columns.map(({ type }) => encoderOf(type));
    this.#lines += `${JSON.stringify({ columns })}\n`;
  }

  addRow(cells: readonly (Buffer | null)[]): void {
    let row = this.#rows === '' ? '[' : ',[';
    for (let index = 0; index < cells.length; index += 1) {
      const cell = cells[index];
      const encoder = this.#encoders[index];
      if (index > 0) row += ',';
      row += cell && encoder ? encoder.json(cell) : 'null';
    }
    this.#rows += `${row}]`;
  }

  take(): string {
    this.#endLine();
    const lines = this.#lines;
    this.#lines = '';
    return lines;
  }

  #endLine(): void {
    if (this.#rows === '') return;
    this.#lines += `{"rows":[${this.#rows}]}\n`;
    this.#rows = '';
  }
}
