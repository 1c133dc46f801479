/** The first word, behind blanks, parentheses and comments that are none but that. */
const FIRST_WORD = /^(?:[\s(]|\/\*(?!M?!)[\s\S]*?\*\/|(?:#|--\s)[^\n]*\n)*(\w+)/i;

const firstWord = (sql: string): string => FIRST_WORD.exec(sql)?.[1]?.toUpperCase() ?? '';

/** It writes nothing, or only by functions of the user's own. */
export function isSelect(sql: string): boolean {
  return firstWord(sql) === 'SELECT';
}

/** It wrote nothing, or only by functions of the user's own, if it has answered rows. */
export function onlyReads(sql: string): boolean {
  return /^(SELECT|WITH|VALUES|TABLE|SHOW|DESC|DESCRIBE|EXPLAIN)$/.test(firstWord(sql));
}

/** Whatever becomes of it, the transaction that it belongs to is still undone by a rollback. A procedure can commit. */
export function cannotCommit(sql: string): boolean {
  return /^(SELECT|INSERT|UPDATE|DELETE|REPLACE|WITH|SAVEPOINT|RELEASE|ROLLBACK)$/.test(firstWord(sql));
}
