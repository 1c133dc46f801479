/** What of a session's sql_mode decides how its SQL text is read. */
export interface SqlMode {
  /** A backslash in a string is a character like any other. */
  readonly noBackslashEscapes: boolean;
  /** "..." names something instead of being a string. */
  readonly ansiQuotes: boolean;
}

/** ANSI_QUOTES and the combination modes that switch it on (most of them on MariaDB and MySQL 5.7 only). */
const ANSI_QUOTES_MODES = ['ANSI_QUOTES', 'ANSI', 'DB2', 'MAXDB', 'MSSQL', 'ORACLE', 'POSTGRESQL'];

/** Reads the value of `sql_mode`, as the settings have it or as the server answers it. */
export function parseSqlMode(text: string): SqlMode {
  const modes = text.split(',').map((mode) => mode.trim().toUpperCase());
  return {
    noBackslashEscapes: modes.includes('NO_BACKSLASH_ESCAPES'),
    ansiQuotes: ANSI_QUOTES_MODES.some((mode) => modes.includes(mode)),
  };
}
