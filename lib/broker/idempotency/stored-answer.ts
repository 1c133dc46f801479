/** Of an answer that is kept whole. */
const MAX_WHOLE_BYTES = 65_536;

/** What is kept of an answer for repeats: all of it, or all but the rows and what describes them. */
export function toStoredAnswer(body: Buffer): string {
  const text = body.toString();
  if (body.length <= MAX_WHOLE_BYTES) return text;
  return JSON.stringify(JSON.parse(text), (_, value: unknown) =>
    hasColumns(value) ? { ...value, columns: [], rows: [], rowsOmitted: true } : value,
  );
}

function hasColumns(value: unknown): value is object {
  if (typeof value !== 'object' || value === null || !('columns' in value)) return false;
  return Array.isArray(value.columns) && value.columns.length > 0;
}
