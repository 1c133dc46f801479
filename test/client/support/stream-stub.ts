import type { ServerResponse } from 'node:http';
import type { Answer } from '../../support/stub-broker.ts';

export const COLUMNS = [
  { name: 'id', type: 'BIGINT', nullable: false, length: 20 },
  { name: 'name', type: 'VARCHAR', nullable: true, length: 80 },
];
const END = {
  rowCount: 3,
  affectedRows: 0,
  changedRows: 0,
  insertId: null,
  warnings: 0,
  durationMs: 1,
  queueMs: 0,
};

export const columns = { columns: COLUMNS };
export const end = { end: END };
export const rows = (...names: (string | null)[]) => ({
  rows: names.map((name, index) => [`${index}`, name]),
});

/** Begins a streamed reply, of which `write` makes the rest. */
export function streaming(write: (response: ServerResponse) => unknown): Answer {
  return (response) => {
    response.writeHead(200, { 'content-type': 'application/x-ndjson; charset=utf-8' });
    write(response);
  };
}

export const toText = (lines: readonly object[]) => lines.map((line) => `${JSON.stringify(line)}\n`).join('');

/** A streamed reply of these lines. */
export function streamOf(...lines: readonly object[]): Answer {
  return streaming((response) => response.end(toText(lines)));
}
