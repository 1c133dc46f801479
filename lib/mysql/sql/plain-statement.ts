import type { SqlLexer, TokenKind } from './lexer/lexer.ts';
import {
  KEYWORDS,
  STATE_FREE_FUNCTIONS,
  STATEFUL_NAMES,
  STATEFUL_WORDS,
  WINDOW_FUNCTIONS,
} from './state-free-functions.ts';
import { WithClause } from './with-clause.ts';

const VERBS = new Set(['SELECT', 'INSERT', 'UPDATE', 'DELETE', 'REPLACE']);
/** Words between INSERT or REPLACE and the table. */
const INSERT_MODIFIERS = new Set(['LOW_PRIORITY', 'HIGH_PRIORITY', 'IGNORE', 'INTO']);

interface Token {
  readonly text: string;
  readonly kind: TokenKind;
  readonly end: number;
}

const NOTHING: Token = { text: '', kind: 'symbol', end: 0 };

/**
 * Detects from a statement's tokens whether it is *plain*: it leaves no session state that another plain statement could
 * see. That is one SELECT, INSERT, UPDATE, DELETE or REPLACE that uses no variable and calls only the servers'
 * state-free functions. A statement that is not understood is not plain.
 */
export class PlainStatementCheck {
  #isSuspect = false;
  #verb: string | undefined;
  #depth = 0;
  /** The WITH clause before the verb. */
  #with: WithClause | undefined;
  /** Follows the table of an INSERT: its column list must not be taken for arguments of a call. */
  #target: 'awaited' | 'named' | undefined;
  #callsWindowFunction = false;
  #hasWindow = false;
  #secondLast = NOTHING;
  #last = NOTHING;

  get isPlain(): boolean {
    if (this.#isSuspect || (this.#callsWindowFunction && !this.#hasWindow)) return false;
    return this.#verb !== undefined && VERBS.has(this.#verb);
  }

  /** The main keyword of the statement; undefined if it was not found. */
  get verb(): string | undefined {
    return this.#verb;
  }

  /** It surely writes nothing. */
  get isRead(): boolean {
    return this.#verb === 'SELECT' && this.isPlain;
  }

  add(text: string, { kind, start, end }: SqlLexer): void {
    this.#isSuspect ||= this.#isStateful(text, kind);
    if (text === '(') this.#isSuspect ||= this.#isCall(start);
    if (text === ')') this.#depth -= 1;
    if (this.#target !== undefined) this.#followTarget(text, kind);
    if (this.#verb === undefined) this.#findVerb(text, kind);
    if (text === '(') this.#depth += 1;
    this.#secondLast = this.#last;
    this.#last = { text, kind, end };
  }

  #isStateful(text: string, kind: TokenKind): boolean {
    if (text === '@') return true;
    if (kind === 'name') return STATEFUL_NAMES.has(text.replaceAll('`', ''));
    if (kind !== 'word') return false;
    // Also for words beyond ASCII: servers may compare them without accents.
    if (STATEFUL_NAMES.has(text.toUpperCase())) return true;
    if (text === 'INTO') return this.#target !== 'awaited';
    const isAfterSequenceWord = this.#last.text === 'NEXT' || this.#last.text === 'PREVIOUS';
    return STATEFUL_WORDS.has(text) || (text === 'VALUE' && isAfterSequenceWord);
  }

  /** Whether the opening parenthesis may belong to a call of a stateful function. */
  #isCall(start: number): boolean {
    const { text, kind, end } = this.#last;
    if (kind !== 'word' && kind !== 'name') return false;
    if (this.#target === 'named' || this.#with?.isBehindName(this.#depth)) return false;
    const before = this.#secondLast.text;
    // A type, a derived table, a window, or a clause such as OVER: no expression can begin there.
    if (before === 'AS' || before === ')') {
      this.#hasWindow ||= text === 'OVER';
      return false;
    }
    if (kind === 'name' || before === '.') return true;
    if (KEYWORDS.has(text)) return false;
    if (start > end) return true;
    this.#callsWindowFunction ||= WINDOW_FUNCTIONS.has(text);
    return !STATE_FREE_FUNCTIONS.has(text) && !WINDOW_FUNCTIONS.has(text);
  }

  /** Only parentheses and the tables of a WITH may come before it. */
  #findVerb(text: string, kind: TokenKind): void {
    const meaning = this.#with?.add(text, kind, this.#depth);
    if (meaning === 'part' || (this.#with === undefined && text === '(')) return;
    if (meaning === 'unknown' || kind !== 'word') this.#isSuspect = true;
    else if (meaning === undefined && text === 'WITH') this.#with = new WithClause(this.#depth);
    else {
      this.#verb = text;
      this.#with = undefined;
      if (text === 'INSERT' || text === 'REPLACE') this.#target = 'awaited';
    }
  }

  #followTarget(text: string, kind: TokenKind): void {
    if (this.#target === 'named') this.#target = text === '.' ? 'awaited' : undefined;
    else if (kind !== 'word' && kind !== 'name') this.#target = undefined;
    else if (!INSERT_MODIFIERS.has(text)) this.#target = 'named';
  }
}
