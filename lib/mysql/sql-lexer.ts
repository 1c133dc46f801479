import type { SqlMode } from './sql-mode.ts';

/** A `name` is a quoted identifier; numbers, keywords and plain identifiers are all `word`. */
export type TokenKind = 'word' | 'name' | 'string' | 'symbol' | 'placeholder';

/** A comment that some servers read as code: `/*!`, `/*M!`, and for its own parser `/*+`. */
interface LiveComment {
  readonly start: number;
  readonly isHint: boolean;
  /** Where it ends for a server that takes it for a mere comment. */
  readonly skippedEnd: number;
}

const BACKSLASH = 0x5c;
const BACKQUOTE = 0x60;
const COLON = 0x3a;
const DOLLAR = 0x24;
const DOUBLE_QUOTE = 0x22;
const HASH = 0x23;
const MINUS = 0x2d;
const QUESTION_MARK = 0x3f;
const SINGLE_QUOTE = 0x27;
const SPACE = 0x20;
const DELETE = 0x7f;
const FIRST_NON_ASCII = 0x80;
const BEYOND_ASCII = /[^ -~]/;

const isNameCode = codesOf('0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_');

/**
 * Reads SQL text token by token, by the lexical rules that MySQL and MariaDB share. It is a cursor, not a list:
 * `kind`, `start` and `end` are those of the token that `next` moved to. Comments are passed over.
 *
 * What is code on one server and comment on another must end at the same place for both. Where it does not,
 * and where something is not closed, the text is `unreadable`: a guess could put a value where the server sees code.
 */
export class SqlLexer {
  kind: TokenKind = 'symbol';
  start = 0;
  end = 0;
  /** Why the text cannot be read beyond the current token. */
  unreadable: string | undefined;
  /** Whether a comment that some servers read as code has begun so far. */
  holdsLiveComment = false;

  readonly #sql: string;
  readonly #mode: SqlMode;
  #liveComment: LiveComment | undefined;

  constructor(sql: string, mode: SqlMode) {
    this.#sql = sql;
    this.#mode = mode;
    // MySQL ends some tokens at a NUL and not others.
    if (sql.includes('\0')) this.unreadable = 'it holds a NUL character';
  }

  get isInExecutableComment(): boolean {
    return this.#liveComment !== undefined;
  }

  /** Where the executable comment begins that holds the token: two of them may be read by different servers. */
  get executableCommentStart(): number | undefined {
    return this.#liveComment?.start;
  }

  /** Moves to the next token. False at the end and where the text is unreadable. */
  next(): boolean {
    do {
      if (!this.#findToken()) return false;
      this.#readToken();
    } while (this.#liveComment?.isHint);
    return this.unreadable === undefined;
  }

  /** The token in one spelling: words of ASCII in capitals, names in backquotes, every string as ''. */
  get text(): string {
    const text = this.#sql.slice(this.start, this.end);
    if (this.kind === 'string') return "''";
    if (this.kind === 'name') return `\`${text.slice(1, -1).trimEnd().toUpperCase()}\``;
    // Servers have no keyword beyond ASCII, whereas toUpperCase makes S of \u017f.
    return this.kind === 'word' && !BEYOND_ASCII.test(text) ? text.toUpperCase() : text;
  }

  #readToken(): void {
    const sql = this.#sql;
    const code = sql.charCodeAt(this.end);
    this.start = this.end;
    if (isWordCode(code)) this.#readWord(code);
    else if (code === SINGLE_QUOTE) this.#readQuoted('string', code);
    else if (code === BACKQUOTE) this.#readQuoted('name', code);
    else if (code === DOUBLE_QUOTE) this.#readQuoted(this.#mode.ansiQuotes ? 'name' : 'string', code);
    else if (code === QUESTION_MARK) this.#take('placeholder', this.start + 1);
    else if (code === COLON && this.#startsName()) this.#readNamedPlaceholder();
    else this.#take('symbol', this.start + 1);
  }

  #take(kind: TokenKind, end: number): void {
    this.kind = kind;
    this.end = end;
  }

  #readWord(first: number): void {
    let end = this.start + 1;
    while (isWordCode(this.#sql.charCodeAt(end))) end += 1;
    this.#take('word', end);
    // MySQL 9 reads $$...$$ and $tag$...$tag$ as strings; all others read names.
    if (first === DOLLAR && this.#sql.slice(this.start + 1, end).includes('$')) {
      this.unreadable = 'it holds a dollar-quoted text';
    }
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

  #startsName(): boolean {
    const next = this.#sql.charCodeAt(this.start + 1);
    const isDigit = next < 0x3a;
    return isNameCode[next] === true && !isDigit && this.#sql.charCodeAt(this.start - 1) !== COLON;
  }

  #readNamedPlaceholder(): void {
    let end = this.start + 2;
    while (isNameCode[this.#sql.charCodeAt(end)]) end += 1;
    this.#take('placeholder', end);
  }

  /** Passes over white space and comments. False if no token follows. */
  #findToken(): boolean {
    const sql = this.#sql;
    while (this.unreadable === undefined) {
      const code = sql.charCodeAt(this.end);
      if (isSpace(code)) this.end += 1;
      else if (this.#startsLineComment(code)) {
        const lineEnd = sql.indexOf('\n', this.end);
        this.end = lineEnd === -1 ? sql.length : lineEnd;
      } else if (sql.startsWith('/*', this.end)) this.#enterComment();
      else if (this.#liveComment && sql.startsWith('*/', this.end)) this.#leaveComment(this.#liveComment);
      else break;
    }
    const isAtEnd = this.end >= sql.length;
    if (isAtEnd && this.#liveComment) this.unreadable ??= 'a comment is not closed';
    return !isAtEnd && this.unreadable === undefined;
  }

  #startsLineComment(code: number): boolean {
    if (code !== MINUS) return code === HASH;
    const sql = this.#sql;
    if (sql.charCodeAt(this.end + 1) !== MINUS) return false;
    const next = sql.charCodeAt(this.end + 2);
    return Number.isNaN(next) || next <= SPACE || next === DELETE;
  }

  #enterComment(): void {
    const sql = this.#sql;
    const opening = ['/*!', '/*M!', '/*+'].find((text) => sql.startsWith(text, this.end));
    const bodyStart = this.end + (opening ?? '/*').length;
    // A server that skips /*! lets it hold comments; one that does not know /*M! or /*+ sees a plain comment.
    const end = opening === '/*!' ? endOfNestingComment(sql, bodyStart) : endOfComment(sql, bodyStart);
    if (end === undefined) this.unreadable = 'a comment is not closed';
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

function codesOf(characters: string): readonly boolean[] {
  const codes = new Array<boolean>(FIRST_NON_ASCII).fill(false);
  for (const character of characters) codes[character.charCodeAt(0)] = true;
  return codes;
}

function isWordCode(code: number): boolean {
  return isNameCode[code] === true || code === DOLLAR || code >= FIRST_NON_ASCII;
}

function isSpace(code: number): boolean {
  return code === SPACE || (code >= 0x09 && code <= 0x0d);
}

function endOfComment(sql: string, from: number): number | undefined {
  const close = sql.indexOf('*/', from);
  return close === -1 ? undefined : close + 2;
}

/** As above, for a comment that may hold plain comments, one level deep. */
function endOfNestingComment(sql: string, from: number): number | undefined {
  let end = endOfComment(sql, from);
  let nested = sql.indexOf('/*', from);
  while (end !== undefined && nested !== -1 && nested < end - 2) {
    const nestedEnd = endOfComment(sql, nested + 2);
    if (nestedEnd === undefined) return undefined;
    end = endOfComment(sql, nestedEnd);
    nested = sql.indexOf('/*', nestedEnd);
  }
  return end;
}

/** The five or six digits after the opening of an executable comment; fewer are code. */
function lengthOfVersion(sql: string, from: number): number {
  const [digits = ''] = /^\d{0,6}/.exec(sql.slice(from, from + 6)) ?? [];
  return digits.length < 5 ? 0 : digits.length;
}
