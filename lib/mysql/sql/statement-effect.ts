/**
 * What may be left of a statement that fails:
 * - `nothing`: nor of one that succeeds, for it only looks, and runs no function;
 * - `all_or_nothing`: nothing, the server undoes it as a whole (in tables of a transactional engine);
 * - `parts`: what it had done by then, as with most DDL; nothing if it was refused before it began;
 * - `anything`: what a procedure may have done and committed, or what is not understood;
 * - `..._once_parsed`: the same, but it runs no program or function, so that an error of syntax is its own: nothing
 *   has run then.
 */
export type StatementEffect = 'nothing' | 'all_or_nothing' | Limited | `${Limited}_once_parsed`;
type Limited = 'parts' | 'anything';

const setOf = (words: string): ReadonlySet<string> => new Set(words.split(' '));

const ALL_OR_NOTHING = setOf('SELECT INSERT UPDATE DELETE REPLACE WITH VALUES TABLE');
const LOOKS = setOf('SHOW DESCRIBE DESC EXPLAIN');
const PARTS = setOf('ALTER CREATE DROP TRUNCATE RENAME GRANT REVOKE SET');
/** They run statements of their own, a trigger's or a whole program. */
const RUNS_CODE = setOf(
  'CALL EXECUTE BEGIN IF CASE WHILE LOOP REPEAT FOR DECLARE LOAD BINLOG ANALYZE HANDLER',
);
/** They take expressions, which may call a function: never without a parenthesis. */
const TAKES_EXPRESSIONS = setOf('SET DO PREPARE PURGE KILL INSTALL');
/** What fills a table as it is created. */
const QUERY_WORDS = setOf('SELECT VALUES WITH TABLE');
/** `CREATE OR REPLACE TEMPORARY TABLE`: behind CREATE. */
const LAST_PLACE_OF_TABLE = 4;

/** It surely writes nothing, in a session that the server itself keeps from writing or in any. */
export function cannotWrite(
  { isRead, effect }: { readonly isRead: boolean; readonly effect: StatementEffect },
  isReadOnly: boolean,
): boolean {
  // Of the others, a procedure could make a session writable again.
  return isRead || effect === 'nothing' || (isReadOnly && effect === 'all_or_nothing');
}

/** Finds out, of the tokens of a statement added in order, what may be left of it if it fails. */
export class EffectWatch {
  #firstWord: string | undefined;
  #count = 0;
  #createsTable = false;
  #runsCode = false;
  /** What comes tells nothing more. */
  #isSettled = false;

  /** @param isNamed It begins with a colon, as what stands behind a label does. */
  add(text: string, isNamed: boolean): void {
    if (this.#isSettled) return;
    if (this.#firstWord === undefined) {
      if (text !== '(') this.#begin(text);
      return;
    }
    this.#count += 1;
    if (this.#firstWord === 'CREATE') this.#addToCreate(text);
    // EXPLAIN ANALYZE runs what it explains.
    else if (LOOKS.has(this.#firstWord)) this.#runsCode ||= text === '(' || text === 'ANALYZE';
    else if (TAKES_EXPRESSIONS.has(this.#firstWord)) this.#runsCode ||= text === '(';
    else {
      // Of a word that begins no statement, the server goes beyond the syntax only if it is a program's label.
      this.#runsCode = isNamed && !PARTS.has(this.#firstWord);
      this.#isSettled = true;
    }
  }

  get effect(): StatementEffect {
    const firstWord = this.#firstWord ?? '';
    if (LOOKS.has(firstWord) && !this.#runsCode) return 'nothing';
    if (ALL_OR_NOTHING.has(firstWord) || LOOKS.has(firstWord)) return 'all_or_nothing';
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
    this.#isSettled = this.#count >= LAST_PLACE_OF_TABLE && !this.#createsTable;
  }
}
