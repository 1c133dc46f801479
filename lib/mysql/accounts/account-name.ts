import { literalOf } from '../sql/binding/literal.ts';
import { parseSqlMode } from '../sql/lexer/sql-mode.ts';

/** An account is a user and a host: 'app'@'%' and 'app'@'10.%' are two accounts. */
export interface AccountName {
  readonly user: string;
  readonly host: string;
}

/** The SQL mode of an {@link AdminSession}. */
export const ACCOUNT_SQL_MODE = parseSqlMode('');

export function quoted(text: string): string {
  return literalOf(text, ACCOUNT_SQL_MODE);
}

/** The account as statements write it. */
export function accountText({ user, host }: AccountName): string {
  return `${quoted(user)}@${quoted(host)}`;
}
