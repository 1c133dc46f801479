import type { SessionUse } from './session-state-use.ts';

/** Each statement has a connection to itself, or shares the one of an open transaction. */
export type StatementContext = 'alone' | 'in_transaction';

/** A statement as the rules see it. */
export interface StatementForm {
  readonly firstWord: string;
  /** As `forbidden-statements.ts` describes it. Empty where the first word says it all. */
  readonly spelling: string;
  readonly holdsExecutableComment: boolean;
  readonly use: SessionUse;
}

/** Statements whose effect only later statements on the connection can see. No pattern: the first word suffices. */
const ONLY_IN_TRANSACTION: ReadonlyMap<string, readonly { kind: string; pattern?: RegExp }[]> = new Map([
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
  ['DEALLOCATE', [{ kind: 'DEALLOCATE PREPARE' }]],
]);

/** Where an @ belongs to an account, or to a body that runs another time. */
const NAMES_ACCOUNTS =
  /^(?:ALTER|DROP|GRANT|REVOKE|RENAME|SHOW (?:GRANTS|CREATE)|CREATE (?!(?:OR REPLACE )?(?:TEMPORARY )?TABLE\b))/;

/** What else leaves a transaction open. Whatever is on neither list may commit, on one server or another. */
const LEAVING_OPEN = new Set(
  `SELECT INSERT UPDATE DELETE REPLACE WITH VALUES TABLE CALL DO SHOW DESCRIBE DESC EXPLAIN HELP CHECKSUM GET SIGNAL
   RESIGNAL`.split(/\s+/),
);
/** The same of words that begin other statements too. */
const LEAVING_OPEN_IN_PART =
  /^(?:LOAD (?:DATA|XML)|ANALYZE (?:FORMAT=\w+ )?(?:SELECT|INSERT|UPDATE|DELETE|REPLACE|WITH))\b/;

/** What is known to commit, for a better message. */
const COMMITTING = new Set(
  `ALTER ANALYZE BACKUP BINLOG CACHE CHANGE CHECK CLONE CREATE DROP FLUSH GRANT IMPORT INSTALL LOAD OPTIMIZE PURGE
   RENAME REPAIR RESET REVOKE START STOP TRUNCATE UNINSTALL`.split(/\s+/),
);
const OBJECT =
  /^\w+(?: OR REPLACE)?( (?:TABLES?|VIEW|INDEX|DATABASE|SCHEMA|USER|ROLE|PROCEDURE|FUNCTION|TRIGGER|EVENT|SEQUENCE))\b/;

/** Whether the rules need the spelling of statements with this first word. */
export function needsSpelling(firstWord: string): boolean {
  return COMMITTING.has(firstWord) || ONLY_IN_TRANSACTION.has(firstWord) || firstWord === 'SHOW';
}

/** What about the statement is allowed only inside a transaction, in words for the error. */
export function onlyInTransaction(form: StatementForm): string | undefined {
  const kind = kindOf(form);
  if (kind !== undefined || NAMES_ACCOUNTS.test(form.spelling)) return kind;
  if (form.use.callsLockFunction) return 'GET_LOCK or RELEASE_LOCK';
  return form.use.namesVariable ? 'a user variable' : undefined;
}

/** Why the statement is allowed only outside a transaction, in words for the error. */
export function outsideTransactionOnly(form: StatementForm): string | undefined {
  const { firstWord, spelling } = form;
  const mayCommit = COMMITTING.has(firstWord);
  // What an executable comment hides from the server may be just the word TEMPORARY.
  const isCertain = !mayCommit || !form.holdsExecutableComment;
  if (isCertain && leavesOpen(form)) return undefined;
  if (!mayCommit) return 'what is not known to leave a transaction open';
  return `${firstWord}${OBJECT.exec(spelling)?.[1] ?? ''} commits by itself and`;
}

function kindOf({ firstWord, spelling }: StatementForm): string | undefined {
  const kinds = ONLY_IN_TRANSACTION.get(firstWord) ?? [];
  return kinds.find(({ pattern }) => pattern === undefined || pattern.test(spelling))?.kind;
}

function leavesOpen(form: StatementForm): boolean {
  if (LEAVING_OPEN.has(form.firstWord) || LEAVING_OPEN_IN_PART.test(form.spelling)) return true;
  return kindOf(form) !== undefined;
}
