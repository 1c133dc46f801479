/*
 * What a caller with read access may have sent. A READ ONLY session stops only statements that change rows, tables or accounts
 * (error 1792); FLUSH, STOP REPLICA, RESET, PURGE, ANALYZE TABLE, BACKUP and their like run in it, if the login may.
 * So a statement is sent only if it is known that it writes nothing or that the session stops it.
 */

/** First words of statements that write nothing by themselves. */
const READING = `SELECT WITH VALUES TABLE SHOW DESCRIBE DESC EXPLAIN HELP CHECKSUM DO CALL SET SAVEPOINT ROLLBACK RELEASE
  PREPARE EXECUTE DEALLOCATE GET SIGNAL RESIGNAL`;

/** First words of statements that a READ ONLY session stops, whatever follows. */
const STOPPED = 'INSERT UPDATE DELETE REPLACE TRUNCATE RENAME GRANT REVOKE';

const SENT = new Set(`${READING} ${STOPPED}`.split(/\s+/));

/** The same of words that begin other statements too. */
const SENT_IN_PART = [
  /^LOAD (?:DATA|XML)\b/,
  /^ANALYZE (?:FORMAT=\w+ )?(?:SELECT|INSERT|UPDATE|DELETE|REPLACE|WITH)\b/,
  /^(?:CREATE|ALTER|DROP)(?: OR REPLACE)?(?: (?:TEMPORARY|UNIQUE|FULLTEXT|SPATIAL))* (?:TABLES?|VIEW|INDEX|DATABASE|SCHEMA|USER|ROLE|PROCEDURE|FUNCTION|TRIGGER|EVENT|SEQUENCE|SERVER)\b/,
  /^DROP PREPARE\b/,
];

/**
 * What callers with read access may not run, in words for the error. undefined: they may, as far as the READ ONLY
 * session lets them.
 */
export function needsWriteAccess(
  firstWord: string,
  spelling: string,
  holdsExecutableComment: boolean,
): string | undefined {
  if (SENT.has(firstWord)) return undefined;
  // What an executable comment hides from the server may be just the word that the pattern saw.
  if (!holdsExecutableComment && SENT_IN_PART.some((pattern) => pattern.test(spelling))) return undefined;
  return /^[A-Z]{1,20}$/.test(firstWord) ? firstWord : 'what is not known to write nothing';
}
