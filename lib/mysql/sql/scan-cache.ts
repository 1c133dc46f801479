import { TwoGenerationCache } from '../../collections/two-generation-cache.ts';
import type { SqlMode } from './lexer/sql-mode.ts';
import { type StatementScan, scanStatement } from './statement-scan.ts';

/** Together these limit the cache to some megabytes, whatever callers send. */
const MAX_SCANS = 500;
const MAX_TEXT_LENGTH = 1_000;

/** By mode and text: a scan depends on nothing else. */
const scans = new TwoGenerationCache<StatementScan>(MAX_SCANS);

/** `scanStatement` with a cache. */
export function cachedScan(sql: string, mode: SqlMode): StatementScan {
  if (sql.length > MAX_TEXT_LENGTH) return scanStatement(sql, mode);
  const known = scans.get(keyOf(sql, mode));
  if (known !== undefined) return known;
  const own = copyOf(sql);
  const scan = scanStatement(own, mode);
  scans.set(keyOf(own, mode), scan);
  return scan;
}

function keyOf(sql: string, { noBackslashEscapes, ansiQuotes }: SqlMode): string {
  return `${Number(noBackslashEscapes)}${Number(ansiQuotes)}${sql}`;
}

/** A substring would keep the whole string that it was cut from in memory. */
function copyOf(text: string): string {
  return Buffer.from(text, 'utf16le').toString('utf16le');
}
