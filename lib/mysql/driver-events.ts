import type { WireField } from './encode.ts';
import type { OkHeader } from './ok-header.ts';

// What mysql2 emits for a query with `rowsAsArray` and without type cast; its types tell less.

export function isFields(fields: unknown): fields is WireField[] {
  return Array.isArray(fields);
}

export function isRow(result: unknown): result is (Buffer | null)[] {
  return Array.isArray(result);
}

export function isOkHeader(result: unknown): result is OkHeader {
  return typeof result === 'object' && result !== null && 'affectedRows' in result;
}
