import type { TokenKind } from './lexer/lexer.ts';

/** The last token outside of the parentheses. */
type State = 'before_name' | 'name' | 'before_columns' | 'columns' | 'as' | 'before_query' | 'query';

/** The meaning of a token for the clause: `ended` is the first word after it. */
type Meaning = 'part' | 'ended' | 'unknown';

/** Follows the tables of a WITH by the grammar: name [(columns)] AS (query) [, ...] */
export class WithClause {
  readonly #depth: number;
  #state: State = 'before_name';

  /** @param depth Number of open parentheses at the WITH. */
  constructor(depth: number) {
    this.#depth = depth;
  }

  /** The last token was the name of a table, so a parenthesis opens its columns. */
  isBehindName(depth: number): boolean {
    return this.#state === 'name' && depth === this.#depth;
  }

  /** @param depth Number of open parentheses around the token, without the token itself. */
  add(text: string, kind: TokenKind, depth: number): Meaning {
    if (depth > this.#depth) return 'part';
    if (this.#state === 'query' && kind === 'word') return 'ended';
    const next = this.#next(text, kind);
    if (next === undefined) return 'unknown';
    this.#state = next;
    return 'part';
  }

  #next(text: string, kind: TokenKind): State | undefined {
    switch (this.#state) {
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

function asOrNothing(text: string): State | undefined {
  return text === 'AS' ? 'as' : undefined;
}
