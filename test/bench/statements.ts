/** What every subject runs, so that all do the same work. */
export const KEYS = 20_000;

export const SELECT_BY_KEY = 'SELECT id, name, price FROM items WHERE id = ?';
export const SELECT_ROWS = 'SELECT id, name, price FROM items LIMIT ?';
export const INSERT = 'INSERT INTO sink (n) VALUES (?)';
export const UPDATE = 'UPDATE counters SET n = n + 1 WHERE id = ?';

/** As the subjects are asked for it; the account is theirs. */
export const CALLER_KEY = 'benchmark';

export function anyKey(): number {
  return 1 + Math.floor(Math.random() * KEYS);
}

/** Counters are so many that transactions rarely wait for each other's locks. */
export const COUNTERS = 1_000;

export function anyCounter(): number {
  return 1 + Math.floor(Math.random() * COUNTERS);
}

/** A statement of about so many bytes, another one each time. */
export function longStatement(bytes: number): string {
  const shown = `SELECT id, name, price FROM items WHERE id IN (${anyKey()}`;
  return `${shown}${', 12345'.repeat(Math.max(0, Math.ceil((bytes - shown.length) / 7)))})`;
}

/** A statement that takes so long, another one each time. */
export function slowStatement(durationMs: number): string {
  return `SELECT SLEEP(${durationMs / 1_000}) AS nap_${anyKey()}_${anyKey()}`;
}
