/*
 * Statements that a caller with read access may send. A READ ONLY session refuses only statements that change rows, tables
 * or accounts (error 1792); FLUSH, STOP REPLICA, RESET, PURGE, ANALYZE TABLE, BACKUP and the like run in it, if the login
 * may. So a statement is sent only if it writes nothing, or if the session refuses it.
 */

/** First words of statements that write nothing by themselves. */
const READING = `SELECT WITH VALUES TABLE SHOW DESCRIBE DESC EXPLAIN HELP CHECKSUM DO CALL SET SAVEPOINT ROLLBACK RELEASE
  PREPARE EXECUTE DEALLOCATE GET SIGNAL RESIGNAL`;

/** First words of statements that a READ ONLY session refuses. */
const STOPPED = 'INSERT UPDATE DELETE REPLACE TRUNCATE RENAME GRANT REVOKE';

const SENT = new Set(`${READING} ${STOPPED}`.split(/\s+/));

/** The same for first words that other statements have too. */
const SENT_IN_PART = [
  /^LOAD (?:DATA|XML)\b/,
  /^ANALYZE (?:FORMAT=\w+ )?(?:SELECT|INSERT|UPDATE|DELETE|REPLACE|WITH)\b/,
  /^(?:CREATE|ALTER|DROP)(?: OR REPLACE)?(?: (?:TEMPORARY|UNIQUE|FULLTEXT|SPATIAL))* (?:TABLES?|VIEW|INDEX|DATABASE|SCHEMA|USER|ROLE|PROCEDURE|FUNCTION|TRIGGER|EVENT|SEQUENCE|SERVER)\b/,
  /^DROP PREPARE\b/,
];

/**
 * The kind of statement if callers with read access may not run it, in words for the error. Undefined: it is sent, and the
 * READ ONLY session decides.
 */
export function needsWriteAccess(
  firstWord: string,
  spelling: string,
  holdsExecutableComment: boolean,
): string | undefined {
  if (SENT.has(firstWord)) return undefined;
  // The server may ignore an executable comment that holds the very word that the pattern matched.
  if (!holdsExecutableComment && SENT_IN_PART.some((pattern) => pattern.test(spelling))) return undefined;
  return /^[A-Z]{1,20}$/.test(firstWord) ? firstWord : 'a statement that the broker does not know';
}
