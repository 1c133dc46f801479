/**
 * What may be left of a statement that fails:
 * - `all_or_nothing`: nothing, the server undoes it as a whole (in tables of a transactional engine);
 * - `parts`: what it had done by then, as with most DDL; nothing if it was refused before it began;
 * - `anything`: what a procedure may have done and committed, or what is not understood.
 */
export type StatementEffect = 'all_or_nothing' | 'parts' | 'anything';

const ALL_OR_NOTHING = new Set(
  'SELECT INSERT UPDATE DELETE REPLACE WITH VALUES TABLE SHOW DESCRIBE DESC EXPLAIN'.split(' '),
);
const PARTS = new Set('ALTER CREATE DROP TRUNCATE RENAME GRANT REVOKE SET'.split(' '));

export function effectOf(firstWord: string): StatementEffect {
  if (ALL_OR_NOTHING.has(firstWord)) return 'all_or_nothing';
  return PARTS.has(firstWord) ? 'parts' : 'anything';
}
