import type { BoundStatement } from '../../../../lib/mysql/sql/binding/bind.ts';

/** What a server is sent of a bound statement. */
export function textOf({ text }: Pick<BoundStatement, 'text'>): string {
  return typeof text === 'string' ? text : Buffer.concat(text).toString();
}
