/** It needs no key to be sent again: it writes nothing, or only by functions of the user's own. */
export function isSelect(sql: string): boolean {
  return /^\s*SELECT\b/i.test(sql);
}

/** Whatever becomes of it, the transaction that it belongs to is still undone by a rollback. A procedure can commit. */
export function cannotCommit(sql: string): boolean {
  return /^\s*(SELECT|INSERT|UPDATE|DELETE|REPLACE|WITH|SAVEPOINT|RELEASE|ROLLBACK)\b/i.test(sql);
}
