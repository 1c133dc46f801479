/** A statement has a connection of its own for once, or shares the one of an open transaction. */
export type StatementPlace = 'alone' | 'in_transaction';

interface Allowed {
  readonly kind: string;
  /** Without it the first word decides. */
  readonly pattern?: RegExp;
}

/*
 * What would be lost on a connection that others get next, or would be theirs. The patterns see the spelling that
 * `forbidden-statements.ts` describes.
 */
const ONLY_IN_TRANSACTION: ReadonlyMap<string, readonly Allowed[]> = new Map([
  ['SAVEPOINT', [{ kind: 'SAVEPOINT' }]],
  ['ROLLBACK', [{ kind: 'ROLLBACK TO', pattern: /^ROLLBACK (?:WORK )?TO\b/ }]],
  ['RELEASE', [{ kind: 'RELEASE SAVEPOINT', pattern: /^RELEASE SAVEPOINT\b/ }]],
  ['SET', [{ kind: 'SET' }]],
  ['CREATE', [{ kind: 'CREATE TEMPORARY TABLE', pattern: /^CREATE (?:OR REPLACE )?TEMPORARY TABLE\b/ }]],
  [
    'DROP',
    [
      { kind: 'DROP TEMPORARY TABLE', pattern: /^DROP TEMPORARY TABLES?\b/ },
      { kind: 'DROP PREPARE', pattern: /^DROP PREPARE\b/ },
    ],
  ],
  ['PREPARE', [{ kind: 'PREPARE' }]],
  ['EXECUTE', [{ kind: 'EXECUTE' }]],
  ['DEALLOCATE', [{ kind: 'DEALLOCATE PREPARE', pattern: /^DEALLOCATE PREPARE\b/ }]],
]);

/** What leaves a transaction open, wherever it may run; whatever is on neither list may commit. */
const ANYWHERE: ReadonlyMap<string, RegExp | undefined> = new Map([
  ...[
    ...['SELECT', 'INSERT', 'UPDATE', 'DELETE', 'REPLACE', 'WITH', 'VALUES', 'TABLE', 'CALL', 'DO'],
    ...['SHOW', 'DESCRIBE', 'DESC', 'EXPLAIN', 'HELP', 'CHECKSUM', 'GET', 'SIGNAL', 'RESIGNAL'],
  ].map((word) => [word, undefined] as const),
  ['LOAD', /^LOAD (?:DATA|XML)\b/],
  ['ANALYZE', /^ANALYZE (?:FORMAT=\w+ )?(?:SELECT|INSERT|UPDATE|DELETE|REPLACE|WITH)\b/],
]);

/** What is known to commit by itself, for a better message. */
const COMMITTING = new Set(
  `ALTER ANALYZE BACKUP BINLOG CACHE CHANGE CHECK CLONE CREATE DROP FLUSH GRANT IMPORT INSTALL LOAD LOCK OPTIMIZE
   PURGE RENAME REPAIR RESET REVOKE START STOP TRUNCATE UNINSTALL UNLOCK`.split(/\s+/),
);
const OBJECT =
  / (?:TABLES?|VIEW|INDEX|DATABASE|SCHEMA|USER|ROLE|PROCEDURE|FUNCTION|TRIGGER|EVENT|SEQUENCE)\b/;

/** Whether statements with this first word are judged by more than that word. */
export function needsCloserLook(firstWord: string): boolean {
  return COMMITTING.has(firstWord) || ONLY_IN_TRANSACTION.has(firstWord) || firstWord === 'SHOW';
}

/** Which kind that is allowed only inside a transaction the statement is, in words for the error. */
export function kindOnlyInTransaction(firstWord: string, spelling: string): string | undefined {
  return ONLY_IN_TRANSACTION.get(firstWord)?.find(({ pattern }) => pattern?.test(spelling) ?? true)?.kind;
}

/** Why the statement is allowed only outside a transaction, in words for the error. */
export function reasonToStayOutside(
  firstWord: string,
  spelling: string,
  holdsExecutableComment: boolean,
): string | undefined {
  // What such a comment hides may be just the word TEMPORARY.
  const isSure = !holdsExecutableComment || !COMMITTING.has(firstWord);
  if (isSure && kindOnlyInTransaction(firstWord, spelling) !== undefined) return undefined;
  if (isSure && ANYWHERE.has(firstWord) && (ANYWHERE.get(firstWord)?.test(spelling) ?? true))
    return undefined;
  if (!COMMITTING.has(firstWord)) return 'what is not known to leave a transaction open';
  return `${firstWord}${OBJECT.exec(spelling)?.[0] ?? ''} commits by itself and`;
}
