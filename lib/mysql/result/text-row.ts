import type { CellEncoding } from './column-types.ts';
import type { JsonWriter } from './json-writer.ts';
import { checkResponse, LENGTH_MARKS, type PacketBytes } from './packet-reader.ts';

/**
 * Writes a row of the text protocol (length and bytes of each cell) as a JSON array, each cell in its column's encoding.
 */
export function writeRow(
  json: JsonWriter,
  { buffer, offset, end }: PacketBytes,
  encodings: readonly CellEncoding[],
): void {
  let at = offset;
  let separator = '[';
  for (const encoding of encodings) {
    json.addToken(separator);
    separator = ',';
    const mark = buffer[at] ?? 0;
    at += 1;
    if (mark === LENGTH_MARKS.null) {
      json.addToken('null');
      continue;
    }
    const lengthBytes = lengthBytesOf(mark);
    const start = at + lengthBytes;
    at = start + (lengthBytes === 0 ? mark : readLength(buffer, at, lengthBytes));
    checkResponse(at <= end, 'a row that ends within a cell');
    writeCell(json, buffer, start, at, encoding);
  }
  json.addToken(']');
  checkResponse(at === end, 'a row with another number of columns than announced');
}

function writeCell(
  json: JsonWriter,
  buffer: Buffer,
  start: number,
  end: number,
  encoding: CellEncoding,
): void {
  if (encoding === 'number') json.addNumber(buffer, start, end);
  else if (encoding === 'text') json.addText(buffer, start, end);
  else {
    json.addToken('{"$bytes":"');
    json.addBase64(buffer, start, end);
    json.addToken('"}');
  }
}

function lengthBytesOf(mark: number): number {
  if (mark === LENGTH_MARKS.twoBytes) return 2;
  if (mark === LENGTH_MARKS.threeBytes) return 3;
  return mark === LENGTH_MARKS.eightBytes ? 8 : 0;
}

function readLength(buffer: Buffer, at: number, bytes: number): number {
  return bytes === 8 ? Number(buffer.readBigUInt64LE(at)) : buffer.readUIntLE(at, bytes);
}
