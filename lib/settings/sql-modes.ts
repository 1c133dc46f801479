/**
 * The modes under which the broker reads SQL text as the server does, as tests show. Only ANSI, ANSI_QUOTES and
 * NO_BACKSLASH_ESCAPES change how a text is split into tokens, and none extends the grammar.
 *
 * Not among them are MariaDB's imitations of other products and older versions ([...] is a name under MSSQL,
 * SQL%ROWCOUNT an expression under ORACLE) and EMPTY_STRING_IS_NULL, which makes NULL of a bound ''.
 */
export const READABLE_SQL_MODES: readonly string[] = `
  ALLOW_INVALID_DATES ANSI ANSI_QUOTES ERROR_FOR_DIVISION_BY_ZERO HIGH_NOT_PRECEDENCE IGNORE_BAD_TABLE_OPTIONS
  IGNORE_SPACE NO_AUTO_CREATE_USER NO_AUTO_VALUE_ON_ZERO NO_BACKSLASH_ESCAPES NO_DIR_IN_CREATE
  NO_ENGINE_SUBSTITUTION NO_FIELD_OPTIONS NO_KEY_OPTIONS NO_TABLE_OPTIONS NO_UNSIGNED_SUBTRACTION NO_ZERO_DATE
  NO_ZERO_IN_DATE ONLY_FULL_GROUP_BY PAD_CHAR_TO_FULL_LENGTH PIPES_AS_CONCAT REAL_AS_FLOAT SIMULTANEOUS_ASSIGNMENT
  STRICT_ALL_TABLES STRICT_TRANS_TABLES TIME_ROUND_FRACTIONAL TIME_TRUNCATE_FRACTIONAL TRADITIONAL
`
  .trim()
  .split(/\s+/);

const MODE = `(?:${READABLE_SQL_MODES.join('|')})`;

/** Matches a whole `sqlMode`. */
export const READABLE_SQL_MODE = new RegExp(`^(?:${MODE}(?:,${MODE})*)?$`);

/** What is allowed, for the operator. */
export const READABLE_SQL_MODE_TEXT = `only modes under which the broker reads SQL as the server does, with commas between: ${READABLE_SQL_MODES.join(', ')}`;
