/** The parts of sql_mode that decide how SQL text is read. */
export interface SqlMode {
  /** A backslash in a string is an ordinary character. */
  readonly noBackslashEscapes: boolean;
  /** "..." is an identifier, not a string. */
  readonly ansiQuotes: boolean;
}

/** The mode itself, and the combination that includes it. */
const ANSI_QUOTES_MODES = ['ANSI_QUOTES', 'ANSI'];

/** Parses `sql_mode`, of which the settings allow only known modes. */
export function parseSqlMode(text: string): SqlMode {
  const modes = text.split(',').map((mode) => mode.trim().toUpperCase());
  return {
    noBackslashEscapes: modes.includes('NO_BACKSLASH_ESCAPES'),
    ansiQuotes: ANSI_QUOTES_MODES.some((mode) => modes.includes(mode)),
  };
}
