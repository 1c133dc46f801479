import { assert } from '../errors.ts';
import type { WireField } from './encode.ts';
import type { OkHeader } from './ok-header.ts';
import type { RowPacket } from './row-packet.ts';

// What mysql2 does for a query; its types tell less.

/** The state of a query in which a packet is a row, or the end of the rows. Returns the next state. */
type RowState = (packet: RowPacket & { isEOF(): boolean }, connection: unknown) => unknown;

export function isFields(fields: unknown): fields is WireField[] {
  return Array.isArray(fields);
}

export function isOkHeader(result: unknown): result is OkHeader {
  return typeof result === 'object' && result !== null && 'affectedRows' in result;
}

/** Hands on the rows of a statement as the server sends them. mysql2 itself would make an array of each. */
export function handOnRows(statement: object, onRow: (row: RowPacket) => void): void {
  assert(hasRowState(statement), 'a driver that reads rows in another way');
  const { row: readRow } = statement;
  statement.row = (packet, connection) => {
    if (packet.isEOF()) return readRow.call(statement, packet, connection);
    onRow(packet);
    return statement.row;
  };
}

function hasRowState(statement: object): statement is { row: RowState } {
  return 'row' in statement && typeof statement.row === 'function';
}
