import { TwoGenerationCache } from '../../collections/two-generation-cache.ts';
import type { SqlMode } from './lexer/sql-mode.ts';
import { type StatementScan, scanStatement } from './statement-scan.ts';

/** Callers send what they like: together these bound what is kept to some megabytes, whatever the statements hold. */
const MAX_SCANS = 500;
const MAX_TEXT_LENGTH = 1_000;

/** By mode and text, on which alone a scan depends. */
const scans = new TwoGenerationCache<StatementScan>(MAX_SCANS);

/** The same as `scanStatement`, which most statements then need only once. */
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

/** A text that was cut out of a longer one keeps all of that in memory. */
function copyOf(text: string): string {
  return Buffer.from(text, 'utf16le').toString('utf16le');
}
