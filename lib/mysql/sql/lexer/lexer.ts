import {
  isDigit,
  isHostCode,
  isSpace,
  isWordCode,
  MAX_SPELLED_LENGTH,
  nameInOneSpelling,
  startsDollarQuote,
} from './characters.ts';
import {
  endOfComment,
  endOfNestingComment,
  lengthOfVersion,
  MAX_COMMENTS,
  startsLineComment,
  TOO_MANY,
} from './comments.ts';
import { BROKEN_NUMBER, endOfNumber } from './numbers.ts';
import type { SqlMode } from './sql-mode.ts';

/** A `name` is a quoted identifier; keywords, plain identifiers and the part after an `@` are all `word`. */
export type TokenKind = 'word' | 'name' | 'number' | 'string' | 'symbol' | 'placeholder';

/** A comment that some servers read as code: `/*!`, `/*M!`, and for its own parser `/*+`. */
interface LiveComment {
  readonly start: number;
  readonly isHint: boolean;
  /** Its end for a server that takes it for a plain comment. */
  readonly skippedEnd: number;
}

const AT = 0x40;
const BACKSLASH = 0x5c;
const CAPITAL_N = 0x4e;
const BACKQUOTE = 0x60;
const COLON = 0x3a;
const DOT = 0x2e;
const DOUBLE_QUOTE = 0x22;
const QUESTION_MARK = 0x3f;
const SINGLE_QUOTE = 0x27;
const BEYOND_ASCII = /[^ -~]/;
const DOLLAR_QUOTED = 'it holds a dollar-quoted text';
const TOO_MANY_COMMENTS = `it holds more than ${MAX_COMMENTS} comments in a row`;

/**
 * Reads SQL text token by token, by the lexical rules that MySQL and MariaDB share. It is a cursor: `kind`, `start` and
 * `end` belong to the token that `next` moved to. Comments are skipped.
 *
 * A comment that is code on one server must end at the same position for both. If it does not, or if something is not
 * closed, the text is `unreadable`: a guess could put a value where the server sees code.
 */
export class SqlLexer {
  kind: TokenKind = 'symbol';
  start = 0;
  end = 0;
  /** Why the text cannot be read beyond the current token. */
  unreadable: string | undefined;
  /** Whether there was a comment that some servers read as code. */
  holdsLiveComment = false;

  readonly #sql: string;
  readonly #mode: SqlMode;
  #liveComment: LiveComment | undefined;
  /** The token is a dot between a word and a name, which may begin with a digit. */
  #isBeforeName = false;

  constructor(sql: string, mode: SqlMode) {
    this.#sql = sql;
    this.#mode = mode;
    // MySQL ends some tokens at a NUL and not others.
    if (sql.includes('\0')) this.unreadable = 'it holds a NUL character';
  }

  get isInExecutableComment(): boolean {
    return this.#liveComment !== undefined;
  }

  /** The start of the executable comment around the token: different servers may read different ones. */
  get executableCommentStart(): number | undefined {
    return this.#liveComment?.start;
  }

  /** The token is in an optimizer hint, which is not part of the statement. */
  get isInHint(): boolean {
    return this.#liveComment?.isHint === true;
  }

  /** Moves to the next token outside of hints. False at the end, or if the text is unreadable. */
  next(): boolean {
    while (this.step()) if (!this.isInHint) return true;
    return false;
  }

  /** The same, but also stops at tokens in hints, of which there may be millions. */
  step(): boolean {
    const lastEnd = this.end;
    if (!this.#findToken()) return false;
    this.#readToken(this.end === lastEnd);
    return this.unreadable === undefined;
  }

  /** The token in one spelling: words of ASCII in capitals, names in backquotes, both cut if long; strings as ''. */
  get text(): string {
    if (this.kind === 'string') return "''";
    const end = this.kind === 'word' ? Math.min(this.end, this.start + MAX_SPELLED_LENGTH) : this.end;
    const text = this.#sql.slice(this.start, end);
    if (this.kind === 'name') return nameInOneSpelling(text);
    // Servers have no keyword beyond ASCII, whereas toUpperCase makes S of \u017f.
    return this.kind === 'word' && !BEYOND_ASCII.test(text) ? text.toUpperCase() : text;
  }

  #readToken(isAdjacent: boolean): void {
    const sql = this.#sql;
    const code = sql.charCodeAt(this.end);
    const begun = isAdjacent ? this.#begun() : undefined;
    const isSeparator =
      code === DOT && isAdjacent && this.kind === 'word' && isWordCode(sql.charCodeAt(this.end + 1));
    this.start = this.end;
    this.#isBeforeName = isSeparator;
    if (begun === 'host' && isHostCode(code)) this.#takeWhile('word', isHostCode);
    else if (begun === undefined && !isSeparator && this.#readNumber(code)) return;
    else if (isWordCode(code)) this.#readWord();
    else if (code === SINGLE_QUOTE) this.#readQuoted('string', code);
    else if (code === BACKQUOTE) this.#readQuoted('name', code);
    else if (code === DOUBLE_QUOTE) this.#readQuoted(this.#mode.ansiQuotes ? 'name' : 'string', code);
    else if (code === QUESTION_MARK) this.#take('placeholder', this.start + 1);
    else if (code === COLON && this.#startsName()) this.#readNamedPlaceholder();
    // MariaDB reads NULL in \N, whatever follows it.
    else if (code === BACKSLASH && sql.charCodeAt(this.start + 1) === CAPITAL_N)
      this.#take('symbol', this.start + 2);
    else this.#take('symbol', this.start + 1);
  }

  /** What must follow the last token directly: after a dot or @ no number can begin. */
  #begun(): 'name' | 'host' | undefined {
    if (this.#isBeforeName) return 'name';
    const sql = this.#sql;
    if (this.kind !== 'symbol' || sql.charCodeAt(this.start) !== AT) return undefined;
    return sql.charCodeAt(this.start - 1) === AT ? 'name' : 'host';
  }

  #take(kind: TokenKind, end: number): void {
    this.kind = kind;
    this.end = end;
  }

  #takeWhile(kind: TokenKind, isPart: (code: number) => boolean): void {
    let end = this.start + 1;
    while (isPart(this.#sql.charCodeAt(end))) end += 1;
    this.#take(kind, end);
  }

  /** False if no number begins here. */
  #readNumber(code: number): boolean {
    if (!isDigit(code) && code !== DOT) return false;
    const end = endOfNumber(this.#sql, this.start);
    if (end === undefined) return false;
    this.#take('number', end === BROKEN_NUMBER ? this.start : end);
    if (end === BROKEN_NUMBER) this.unreadable = 'it holds a number without the digits of its exponent';
    return true;
  }

  #readWord(): void {
    this.#takeWhile('word', isWordCode);
    if (startsDollarQuote(this.#sql, this.start, this.end)) this.unreadable = DOLLAR_QUOTED;
  }

  #readQuoted(kind: 'name' | 'string', quote: number): void {
    const sql = this.#sql;
    const hasEscapes = kind === 'string' && !this.#mode.noBackslashEscapes;
    let end = this.start + 1;
    for (; end < sql.length; end += 1) {
      const code = sql.charCodeAt(end);
      if (code === BACKSLASH && hasEscapes) end += 1;
      else if (code === quote) {
        if (sql.charCodeAt(end + 1) !== quote) {
          this.#take(kind, end + 1);
          return;
        }
        end += 1;
      }
    }
    this.unreadable = 'a quoted text is not closed';
  }

  /** Whether the colon begins a `:name`, which is spelled like the servers' identifiers. */
  #startsName(): boolean {
    const sql = this.#sql;
    if (sql.charCodeAt(this.start - 1) === COLON) return false;
    let end = this.start + 1;
    while (isDigit(sql.charCodeAt(end))) end += 1;
    return isWordCode(sql.charCodeAt(end));
  }

  #readNamedPlaceholder(): void {
    this.#takeWhile('placeholder', isWordCode);
    if (startsDollarQuote(this.#sql, this.start + 1, this.end)) this.unreadable = DOLLAR_QUOTED;
  }

  /** Skips white space and comments. False if no token follows. */
  #findToken(): boolean {
    const sql = this.#sql;
    let comments = 0;
    while (this.unreadable === undefined) {
      if (isSpace(sql.charCodeAt(this.end))) {
        this.end += 1;
        continue;
      }
      if (startsLineComment(sql, this.end)) {
        const lineEnd = sql.indexOf('\n', this.end);
        this.end = lineEnd === -1 ? sql.length : lineEnd;
      } else if (sql.startsWith('/*', this.end)) this.#enterComment();
      else if (this.#liveComment && sql.startsWith('*/', this.end)) this.#leaveComment(this.#liveComment);
      else break;
      comments += 1;
      if (comments > MAX_COMMENTS) this.unreadable ??= TOO_MANY_COMMENTS;
    }
    const isAtEnd = this.end >= sql.length;
    if (isAtEnd && this.#liveComment) this.unreadable ??= 'a comment is not closed';
    return !isAtEnd && this.unreadable === undefined;
  }

  #enterComment(): void {
    const sql = this.#sql;
    const opening = ['/*!', '/*M!', '/*+'].find((text) => sql.startsWith(text, this.end));
    const bodyStart = this.end + (opening ?? '/*').length;
    // A server that skips /*! allows comments in it; one that does not know /*M! or /*+ sees a plain comment.
    const end = opening === '/*!' ? endOfNestingComment(sql, bodyStart) : endOfComment(sql, bodyStart);
    if (end === undefined) this.unreadable = 'a comment is not closed';
    else if (end === TOO_MANY) this.unreadable = TOO_MANY_COMMENTS;
    else if (opening === undefined) this.end = end;
    else if (this.#liveComment) this.unreadable = 'it holds an executable comment within another';
    else {
      this.holdsLiveComment = true;
      this.#liveComment = { start: this.end, isHint: opening === '/*+', skippedEnd: end };
      this.end = bodyStart + lengthOfVersion(sql, bodyStart);
    }
  }

  #leaveComment({ skippedEnd }: LiveComment): void {
    this.end += '*/'.length;
    this.#liveComment = undefined;
    if (this.end !== skippedEnd) this.unreadable = 'servers differ on where an executable comment ends';
  }
}
