import type { SessionStateUse } from './session-state-use.ts';

/** A statement runs on a connection of its own, or on that of an open transaction. */
export type StatementContext = 'standalone' | 'in_transaction';

/** A statement in the form that the rules need. */
export interface StatementForm {
  readonly firstWord: string;
  /** As `forbidden-statements.ts` describes it. Empty if the first word suffices. */
  readonly spelling: string;
  readonly holdsExecutableComment: boolean;
  readonly use: SessionStateUse;
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

/** Statements in which an @ belongs to an account, or to a body that runs later. */
const NAMES_ACCOUNTS =
  /^(?:ALTER|DROP|GRANT|REVOKE|RENAME|SHOW (?:GRANTS|CREATE)|CREATE (?!(?:OR REPLACE )?(?:TEMPORARY )?TABLE\b))/;

/** First words of other statements that leave a transaction open. All others may commit on some server. */
const LEAVING_OPEN = new Set(
  `SELECT INSERT UPDATE DELETE REPLACE WITH VALUES TABLE CALL DO SHOW DESCRIBE DESC EXPLAIN HELP CHECKSUM GET SIGNAL
   RESIGNAL`.split(/\s+/),
);
/** The same for first words that other statements have too. */
const LEAVING_OPEN_IN_PART =
  /^(?:LOAD (?:DATA|XML)|ANALYZE (?:FORMAT=\w+ )?(?:SELECT|INSERT|UPDATE|DELETE|REPLACE|WITH))\b/;

/** First words of statements that are known to commit, for a better message. */
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

/** What is allowed only inside a transaction, in words for the error; undefined if nothing is. */
export function onlyInTransaction(form: StatementForm): string | undefined {
  const kind = kindOf(form);
  if (kind !== undefined || NAMES_ACCOUNTS.test(form.spelling)) return kind;
  if (form.use.callsLockFunction) return 'GET_LOCK or RELEASE_LOCK';
  return form.use.namesVariable ? 'a user variable' : undefined;
}

/** What is allowed only outside a transaction, in words for the error; undefined if nothing is. */
export function outsideTransactionOnly(form: StatementForm): string | undefined {
  const { firstWord, spelling } = form;
  const mayCommit = COMMITTING.has(firstWord);
  // The server may ignore an executable comment that holds the word TEMPORARY.
  const isCertain = !mayCommit || !form.holdsExecutableComment;
  if (isCertain && leavesOpen(form)) return undefined;
  if (!mayCommit) return 'a statement that the broker does not know';
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
