/** Of an answer that is kept whole. */
const MAX_WHOLE_BYTES = 65_536;

/** What is kept of an answer for repeats: all of it, or all but the rows and what describes them. */
export function toStoredAnswer(body: string): string {
  if (Buffer.byteLength(body) <= MAX_WHOLE_BYTES) return body;
  return JSON.stringify(JSON.parse(body), (_, value: unknown) =>
    hasColumns(value) ? { ...value, columns: [], rows: [], rowsOmitted: true } : value,
  );
}

function hasColumns(value: unknown): value is object {
  if (typeof value !== 'object' || value === null || !('columns' in value)) return false;
  return Array.isArray(value.columns) && value.columns.length > 0;
}
