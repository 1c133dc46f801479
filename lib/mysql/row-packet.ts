import { assert } from '../errors.ts';
import type { CellForm } from './encode.ts';
import type { JsonBytes } from './json-bytes.ts';
import type { PacketBytes } from './packet-reader.ts';

/** What stands in place of a length of one byte. */
const NULL_CELL = 0xfb;
const TWO_BYTES_LENGTH = 0xfc;
const THREE_BYTES_LENGTH = 0xfd;
const EIGHT_BYTES_LENGTH = 0xfe;

/**
 * Writes a row, as the text protocol sends it (each cell is its length, then its bytes), as a JSON array: a cell of
 * each column, in its form.
 */
export function writeRow(
  json: JsonBytes,
  { buffer, offset, end }: PacketBytes,
  forms: readonly CellForm[],
): void {
  let at = offset;
  let separator = '[';
  for (const form of forms) {
    json.addToken(separator);
    separator = ',';
    const mark = buffer[at] ?? 0;
    at += 1;
    if (mark === NULL_CELL) {
      json.addToken('null');
      continue;
    }
    const lengthBytes = lengthBytesOf(mark);
    const start = at + lengthBytes;
    at = start + (lengthBytes === 0 ? mark : readLength(buffer, at, lengthBytes));
    writeCell(json, buffer, start, at, form);
  }
  json.addToken(']');
  assert(at === end, 'a row of other columns than were announced');
}

function writeCell(json: JsonBytes, buffer: Buffer, start: number, end: number, form: CellForm): void {
  if (form === 'number') json.addNumber(buffer, start, end);
  else if (form === 'text') json.addText(buffer, start, end);
  else {
    json.addToken('{"$bytes":"');
    json.addBase64(buffer, start, end);
    json.addToken('"}');
  }
}

function lengthBytesOf(mark: number): number {
  if (mark === TWO_BYTES_LENGTH) return 2;
  if (mark === THREE_BYTES_LENGTH) return 3;
  return mark === EIGHT_BYTES_LENGTH ? 8 : 0;
}

function readLength(buffer: Buffer, at: number, bytes: number): number {
  return bytes === 8 ? Number(buffer.readBigUInt64LE(at)) : buffer.readUIntLE(at, bytes);
}
