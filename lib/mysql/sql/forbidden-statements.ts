/*
 * Statements that no caller may run: they would begin or end transactions without the broker, change how SQL text is
 * read on a shared connection, or reach beyond the database. EXPLAIN and ANALYZE need no rule: they take only
 * SELECT and its like. INTO OUTFILE can be anywhere and is found by the scan itself.
 *
 * A rule sees the statement in one spelling (see `SqlLexer.text`): capitals, no comments, strings empty,
 * a space only between two words: SET @a = 1, Session `sql_mode` = "x" is SET@A=1,SESSION `SQL_MODE`=''
 */

interface Rule {
  readonly kind: string;
  /** Without it the first word decides. */
  readonly pattern?: RegExp;
}

/** The target of one assignment of a SET. Servers compare names of variables beyond ASCII, and quoted or not. */
function assigned(variable: string): RegExp {
  return new RegExp(`(?:^SET ?|,)(?:@@)?(?:(?:SESSION|LOCAL)[ .])?\`?(?:${variable})\`?:?=`);
}

const SET_RULES: readonly Rule[] = [
  { kind: 'SET STATEMENT', pattern: /^SET STATEMENT\b/ },
  { kind: 'SET TRANSACTION', pattern: /^SET (?:(?:SESSION|LOCAL|GLOBAL) )?TRANSACTION\b/ },
  { kind: 'SET GLOBAL', pattern: /(?:^SET ?|,)(?:@@)?GLOBAL\b/ },
  { kind: 'SET PERSIST', pattern: /(?:^SET ?|,)(?:@@)?PERSIST(?:_ONLY)?\b/ },
  { kind: 'SET PASSWORD', pattern: /(?:^SET |,)PASSWORD\b/ },
  { kind: 'SET NAMES', pattern: /(?:^SET |,)NAMES\b/ },
  { kind: 'SET CHARACTER SET', pattern: /(?:^SET |,)(?:CHARSET|CHAR(?:ACTER)? SET)\b/ },
  // No reset undoes these: session-leftovers.test.ts searches for more of their kind.
  { kind: 'SET ROLE', pattern: /^SET (?:DEFAULT )?ROLE\b/ },
  { kind: 'SET RESOURCE GROUP', pattern: /^SET RESOURCE GROUP\b/ },
  { kind: 'SET of profiling', pattern: assigned('PROFILING(?:_HISTORY_SIZE)?') },
  { kind: 'SET of optimizer_trace', pattern: assigned('OPTIMIZER_TRACE\\w*') },
  { kind: 'SET of debugging', pattern: assigned('DEBUG\\w*') },
  // On MariaDB these belong to a replication, and so to the whole server, even without GLOBAL.
  { kind: 'SET GLOBAL', pattern: assigned('MAX_RELAY_LOG_SIZE|SQL_SLAVE_SKIP_COUNTER') },
  { kind: 'SET of sql_mode', pattern: assigned('SQL_MODE') },
  { kind: 'SET of autocommit', pattern: assigned('AUTOCOMMIT') },
  { kind: 'SET of completion_type', pattern: assigned('COMPLETION_TYPE') },
  // The driver needs these to notice a change of the default database.
  { kind: 'SET of session tracking', pattern: assigned('SESSION_TRACK_\\w+') },
  {
    kind: 'SET of the transaction mode',
    pattern: assigned('TX_ISOLATION|TRANSACTION_ISOLATION|TX_READ_ONLY|TRANSACTION_READ_ONLY'),
  },
  { kind: 'SET of the character set', pattern: assigned('(?:CHARACTER_SET|COLLATION)_\\w+') },
  // MySQL finds sql_mode under sql_modé too: its names are compared without accents.
  { kind: 'SET of a variable that is not ASCII', pattern: assigned('(?:(?![@,=`])[ -~])*[^ -~][^@,=`]*') },
];

const RULES: ReadonlyMap<string, readonly Rule[]> = new Map([
  ['BEGIN', [{ kind: 'BEGIN' }]],
  ['START', [{ kind: 'START TRANSACTION', pattern: /^START TRANSACTION\b/ }]],
  ['COMMIT', [{ kind: 'COMMIT' }]],
  ['ROLLBACK', [{ kind: 'ROLLBACK', pattern: /^ROLLBACK(?! (?:WORK )?TO\b)/ }]],
  ['XA', [{ kind: 'XA' }]],
  ['SET', SET_RULES],
  ['KILL', [{ kind: 'KILL' }]],
  ['SHUTDOWN', [{ kind: 'SHUTDOWN' }]],
  ['RESTART', [{ kind: 'RESTART' }]],
  [
    'LOAD',
    [
      { kind: 'LOAD DATA LOCAL', pattern: /^LOAD DATA (?:(?:LOW_PRIORITY|CONCURRENT) )?LOCAL\b/ },
      { kind: 'LOAD XML LOCAL', pattern: /^LOAD XML (?:(?:LOW_PRIORITY|CONCURRENT) )?LOCAL\b/ },
    ],
  ],
  ['USE', [{ kind: 'USE' }]],
  ['HANDLER', [{ kind: 'HANDLER' }]],
  ['LOCK', [{ kind: 'LOCK TABLES', pattern: /^LOCK TABLES?\b/ }]],
  // A text that is built on the server would bypass every other rule.
  [
    'EXECUTE',
    [
      {
        kind: 'EXECUTE IMMEDIATE of anything but one quoted text',
        pattern: /^EXECUTE IMMEDIATE(?! ''(?: USING\b|$))/,
      },
    ],
  ],
  ['PREPARE', [{ kind: 'PREPARE from anything but one quoted text', pattern: /^PREPARE(?! .+ FROM ''$)/ }]],
  ['UNLOCK', [{ kind: 'UNLOCK TABLES', pattern: /^UNLOCK TABLES?\b/ }]],
]);

/** Whether statements with this first word may be forbidden. */
export function isSuspect(firstWord: string): boolean {
  return RULES.has(firstWord);
}

/** The forbidden kind of the statement, in words for the error. */
export function forbiddenKind(firstWord: string, statement: string): string | undefined {
  const rules = RULES.get(firstWord) ?? [];
  return rules.find(({ pattern }) => pattern === undefined || pattern.test(statement))?.kind;
}
