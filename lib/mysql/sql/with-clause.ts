import type { TokenKind } from './lexer/lexer.ts';

/** What the last token was, of those outside of the parentheses. */
type Place = 'before_name' | 'name' | 'before_columns' | 'columns' | 'as' | 'before_query' | 'query';

/** What a token means to the clause: `ended` is the first word behind it. */
type Meaning = 'part' | 'ended' | 'unknown';

/** Follows the tables of a WITH as the grammar has them: name [(columns)] AS (query) [, ...] */
export class WithClause {
  readonly #depth: number;
  #place: Place = 'before_name';

  /** @param depth how many parentheses are open where the WITH stands. */
  constructor(depth: number) {
    this.#depth = depth;
  }

  /** The last token was the name of a table, so that a parenthesis here opens its columns. */
  isBehindName(depth: number): boolean {
    return this.#place === 'name' && depth === this.#depth;
  }

  /** @param depth how many parentheses are open around the token; a parenthesis itself is not inside of its pair. */
  add(text: string, kind: TokenKind, depth: number): Meaning {
    if (depth > this.#depth) return 'part';
    if (this.#place === 'query' && kind === 'word') return 'ended';
    const next = this.#next(text, kind);
    if (next === undefined) return 'unknown';
    this.#place = next;
    return 'part';
  }

  #next(text: string, kind: TokenKind): Place | undefined {
    switch (this.#place) {
      case 'before_name':
        if (kind === 'word' && text === 'RECURSIVE') return 'before_name';
        return kind === 'word' || kind === 'name' ? 'name' : undefined;
      case 'name':
        return text === '(' ? 'before_columns' : asOrNothing(text);
      case 'before_columns':
        return text === ')' ? 'columns' : undefined;
      case 'columns':
        return asOrNothing(text);
      case 'as':
        return text === '(' ? 'before_query' : undefined;
      case 'before_query':
        return text === ')' ? 'query' : undefined;
      case 'query':
        return text === ',' ? 'before_name' : undefined;
    }
  }
}

function asOrNothing(text: string): Place | undefined {
  return text === 'AS' ? 'as' : undefined;
}
