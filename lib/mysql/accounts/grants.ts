import { assert } from '../../errors.ts';
import { textOf } from '../sql/binding/literal.ts';
import { SqlLexer, type TokenKind } from '../sql/lexer/lexer.ts';
import { ACCOUNT_SQL_MODE, type AccountName, accountText } from './account-name.ts';

interface Token {
  readonly kind: TokenKind;
  /** Words in capitals, names and strings without their quotes. */
  readonly value: string;
  readonly end: number;
}

/** Words before the account of a row: GRANT ... TO, REVOKE ... FROM (a partial revoke), SET DEFAULT ROLE ... FOR. */
const BEFORE_ACCOUNT = ['TO', 'FROM', 'FOR'];

/**
 * A row of SHOW GRANTS as a statement for another account. Undefined: the row is for a third account, as those of roles
 * on MariaDB are. Clauses after the account (IDENTIFIED BY PASSWORD '...', REQUIRE ...) are dropped, except WITH GRANT and
 * WITH ADMIN OPTION.
 */
export function grantFor(row: string, from: AccountName, to: AccountName): string | undefined {
  const tokens = tokensOf(row);
  const index = tokens.findIndex(({ kind, value }) => kind === 'word' && BEFORE_ACCOUNT.includes(value));
  const [keyword, user, at, host, ...rest] = tokens.slice(index);
  assert(index > 0 && keyword !== undefined, 'a grant to nobody');
  if (at?.value !== '@' || user?.value !== from.user || host?.value !== from.host) return undefined;
  return `${row.slice(0, keyword.end)} ${accountText(to)}${optionIn(rest)}`;
}

function optionIn(tokens: readonly Token[]): string {
  const words = tokens.map(({ kind, value }) => (kind === 'word' ? value : '')).join(' ');
  const option = /\b(GRANT|ADMIN) OPTION\b/.exec(words);
  return option === null ? '' : ` WITH ${option[0]}`;
}

function tokensOf(row: string): Token[] {
  const lexer = new SqlLexer(row, ACCOUNT_SQL_MODE);
  const tokens: Token[] = [];
  while (lexer.next()) {
    tokens.push({
      kind: lexer.kind,
      value: unquoted(lexer.kind, row.slice(lexer.start, lexer.end)),
      end: lexer.end,
    });
  }
  assert(lexer.unreadable === undefined, 'a grant that cannot be read');
  return tokens;
}

function unquoted(kind: TokenKind, text: string): string {
  if (kind === 'name') return text.slice(1, -1).replaceAll('``', '`');
  if (kind === 'string') return textOf(text, ACCOUNT_SQL_MODE);
  return text.toUpperCase();
}
