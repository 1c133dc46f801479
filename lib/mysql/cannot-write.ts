/** What may stand before a parenthesis in a statement that changes nothing: keywords, and functions of MySQL's own. */
const HARMLESS_BEFORE_PARENTHESIS = new Set(
  (
    'ALL AND ANY AS BY EXISTS FROM HAVING IN JOIN NOT ON OR OVER SELECT THEN UNION USING VALUES WHEN WHERE ' +
    'ABS AVG CAST COALESCE CONCAT CONNECTION_ID COUNT CURDATE DATE DATE_FORMAT HEX IF IFNULL LENGTH LOWER MAX MIN MOD NOW ' +
    'NULLIF ROUND SLEEP SUBSTRING SUM TRIM UPPER VERSION'
  ).split(' '),
);

/**
 * Whether a statement is one that surely changes nothing: a SELECT or the like, without a call of anything that a
 * user may have defined. When in doubt it says no. Decides only how a lost answer is reported.
 */
export function cannotWrite(sql: string): boolean {
  if (!/^[\s(]*(?:SELECT|SHOW|DESCRIBE|DESC|EXPLAIN|TABLE)\b/i.test(sql) || sql.includes('/*')) return false;
  for (const [, word = ''] of sql.matchAll(/([\w$`"]+)\s*\(/g)) {
    if (!HARMLESS_BEFORE_PARENTHESIS.has(word.toUpperCase())) return false;
  }
  return true;
}
