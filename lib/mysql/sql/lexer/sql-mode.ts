/** What of a session's sql_mode decides how its SQL text is read. */
export interface SqlMode {
  /** A backslash in a string is a character like any other. */
  readonly noBackslashEscapes: boolean;
  /** "..." names something instead of being a string. */
  readonly ansiQuotes: boolean;
}

/** Of the modes that settings accept: itself, and the combination that holds it. */
const ANSI_QUOTES_MODES = ['ANSI_QUOTES', 'ANSI'];

/** Reads the value of `sql_mode` of which settings have checked that it holds only modes that can be read. */
export function parseSqlMode(text: string): SqlMode {
  const modes = text.split(',').map((mode) => mode.trim().toUpperCase());
  return {
    noBackslashEscapes: modes.includes('NO_BACKSLASH_ESCAPES'),
    ansiQuotes: ANSI_QUOTES_MODES.some((mode) => modes.includes(mode)),
  };
}
