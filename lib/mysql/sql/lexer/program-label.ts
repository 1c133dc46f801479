/** Blocks of a stored program that may have a label. */
const LABELLED = new Set([':BEGIN', ':LOOP', ':WHILE', ':REPEAT', ':FOR']);

/** Words that may come before an expression. None of them can be a label. */
const BEFORE_EXPRESSIONS = new Set(
  `ALL AND ANY AS ASC AT BETWEEN BINARY BY CALL CASE DEFAULT DISTINCT DIV DO ELSE ELSEIF END ENDS ESCAPE EVERY FROM
   HAVING IF IN INTERVAL IS LIKE LIMIT MOD NOT OFFSET ON OR REGEXP RETURN RLIKE SELECT SET STARTS THEN TO UNTIL USING
   VALUE VALUES WHEN WHERE WHILE WITH XOR`.split(/\s+/),
);

/** Whether it is `name:LOOP` or the like: for a server a label and its block. */
export function isLabelledBlock(word: string, colonAndName: string): boolean {
  return LABELLED.has(colonAndName.toUpperCase()) && !BEFORE_EXPRESSIONS.has(word);
}
