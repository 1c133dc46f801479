/**
 * What a statement may leave if it fails:
 * - `nothing`: it never writes, since it only reads metadata and runs no function;
 * - `all_or_nothing`: nothing, since the server undoes it as a whole (in tables of a transactional engine);
 * - `parts`: what it had done by then, as with most DDL; nothing if it was refused before it began;
 * - `anything`: what a procedure may have done and committed, or it is not understood;
 * - `..._once_parsed`: the same, but it runs no program or function, so after a syntax error nothing has run.
 */
export type StatementEffect = 'nothing' | 'all_or_nothing' | Limited | `${Limited}_once_parsed`;
type Limited = 'parts' | 'anything';

const setOf = (words: string): ReadonlySet<string> => new Set(words.split(' '));

const ALL_OR_NOTHING = setOf('SELECT INSERT UPDATE DELETE REPLACE WITH VALUES TABLE');
const READS_METADATA = setOf('SHOW DESCRIBE DESC EXPLAIN');
const PARTS = setOf('ALTER CREATE DROP TRUNCATE RENAME GRANT REVOKE SET');
/** They run other statements, a trigger or a program. */
const RUNS_CODE = setOf(
  'CALL EXECUTE BEGIN IF CASE WHILE LOOP REPEAT FOR DECLARE LOAD BINLOG ANALYZE HANDLER',
);
/** They take expressions, which may call functions, but not without a parenthesis. */
const TAKES_EXPRESSIONS = setOf('SET DO PREPARE PURGE KILL INSTALL');
/** Words of a query that fills a created table. */
const QUERY_WORDS = setOf('SELECT VALUES WITH TABLE');
/** `OR REPLACE TEMPORARY TABLE`, after CREATE. */
const MAX_WORDS_BEFORE_TABLE = 4;

/** Whether it surely writes nothing, in a READ ONLY session or in any. */
export function cannotWrite(
  { isRead, effect }: { readonly isRead: boolean; readonly effect: StatementEffect },
  isReadOnly: boolean,
): boolean {
  // In other statements a procedure could make a session writable again.
  return isRead || effect === 'nothing' || (isReadOnly && effect === 'all_or_nothing');
}

/** Detects from a statement's tokens what it may leave if it fails. */
export class EffectDetector {
  #firstWord: string | undefined;
  #count = 0;
  #createsTable = false;
  #runsCode = false;
  /** Further tokens change nothing. */
  #isSettled = false;

  /** @param isNamed It begins with a colon, like the block after a label. */
  add(text: string, isNamed: boolean): void {
    if (this.#isSettled) return;
    if (this.#firstWord === undefined) {
      if (text !== '(') this.#begin(text);
      return;
    }
    this.#count += 1;
    if (this.#firstWord === 'CREATE') this.#addToCreate(text);
    // EXPLAIN ANALYZE runs what it explains.
    else if (READS_METADATA.has(this.#firstWord)) this.#runsCode ||= text === '(' || text === 'ANALYZE';
    else if (TAKES_EXPRESSIONS.has(this.#firstWord)) this.#runsCode ||= text === '(';
    else {
      // A word that begins no statement passes the parser only if it is the label of a program.
      this.#runsCode = isNamed && !PARTS.has(this.#firstWord);
      this.#isSettled = true;
    }
  }

  get effect(): StatementEffect {
    const firstWord = this.#firstWord ?? '';
    if (READS_METADATA.has(firstWord) && !this.#runsCode) return 'nothing';
    if (ALL_OR_NOTHING.has(firstWord) || READS_METADATA.has(firstWord)) return 'all_or_nothing';
    const effect = PARTS.has(firstWord) ? 'parts' : 'anything';
    return this.#runsCode ? effect : `${effect}_once_parsed`;
  }

  #begin(firstWord: string): void {
    this.#firstWord = firstWord;
    this.#runsCode = RUNS_CODE.has(firstWord);
    this.#isSettled = this.#runsCode || ALL_OR_NOTHING.has(firstWord);
  }

  #addToCreate(text: string): void {
    if (this.#createsTable) this.#runsCode ||= QUERY_WORDS.has(text);
    else if (text === 'TABLE') this.#createsTable = true;
    this.#isSettled = this.#count >= MAX_WORDS_BEFORE_TABLE && !this.#createsTable;
  }
}
