import { fc } from '../../../support/random.ts';

/** Functions of the user's, under names that a scanner could take for something else; ſum is found as SUM too. */
export const OWN_FUNCTIONS = [
  ...['f', 'abs', 'count', 'now', 'rank', 'lateral', 'of', 'escape', 'against', 'ſum', 'rollup'],
  ...['t', 'c', 'x', 'over', 'ignore', 'value', 'next', 'json_table'],
];

const CALLED = [
  ...OWN_FUNCTIONS,
  ...['abs', 'COUNT', 'max', 'NOW', 'IF', 'RANK', 'ROW_NUMBER', 'GET_LOCK', 'NEXTVAL', 'INSERT'],
  ...[
    '`abs`',
    '"abs"',
    'app.abs',
    'app . f',
    '`app`.`f`',
    '{fn f',
    'LAST_INSERT_ID',
    'VALUES',
    'DEFAULT',
    'IN',
  ],
];
const ATOMS = [
  ...[
    '1',
    'a',
    "'x'",
    '"x"',
    '`a`',
    'NULL',
    '(1)',
    '.5',
    '1.',
    'NEXT VALUE FOR s',
    'next value',
    's.nextval',
  ],
  ...['@a := 1', '@a', '@@sql_mode', "@'a' := 2", "'@a'", '/*! @a := 1, */ 1', '/*!99999 , f() */ 1'],
  ...['1 /*M!100100 , @a := 1 */', '1 --\t', "'\\'', f(), '", '"\\", f(), "', '1 # f('],
];
const OPERATORS = ['AND', 'IN', 'DIV', '+', 'OR', 'AS', 'ESCAPE', ''];
const OTHER_BEGINNINGS = [
  ...['WITH x AS (SELECT 1) SELECT ', 'WITH x (c) AS (SELECT f()) SELECT ', 'SELECT SQL_CALC_FOUND_ROWS '],
  ...['INSERT INTO t (a) SELECT ', 'REPLACE t(a) SELECT ', 'INSERT INTO app.t SELECT NULL, 1, '],
  ...['UPDATE t SET b = ', 'UPDATE t SET b := ', 'DELETE FROM t WHERE ', 'INSERT t SET b = '],
  ...['SELECT * FROM t WHERE ', 'SELECT * FROM (SELECT 1) AS x WHERE ', 'SELECT 1 FROM t ORDER BY '],
  ...['DO ', 'SET @a = ', 'CREATE TEMPORARY TABLE left_over SELECT '],
];
const TAILS = [
  ...[
    '',
    '',
    '',
    ' FROM t',
    ' FROM t',
    ' FROM t WHERE (a) = 1',
    ' INTO @a',
    ' FROM t FOR UPDATE',
    ' OVER ()',
  ],
  ...[' OVER (ORDER BY a) FROM t', ' FROM t USE INDEX (k)', ' UNION (SELECT f())', ' x (c)', ' LIMIT 1'],
];

const called = fc.constantFrom(...CALLED);
const space = fc.constantFrom('', '', '', ' ', '/**/', '/* ( */', '\n');

const { expression } = fc.letrec<{ expression: string; call: string }>((tie) => ({
  call: fc
    .tuple(called, space, fc.constantFrom('', '', '1', "'one', 0", 'a', 's', '*'), tie('expression'))
    .map(([name, gap, values, nested]) => `${name}${gap}(${values === '1' ? nested : values})`),
  expression: fc.oneof(
    { maxDepth: 3 },
    fc.constantFrom(...ATOMS),
    tie('call'),
    tie('call'),
    tie('expression').map((inner) => `(${inner})`),
    tie('expression').map((inner) => `(SELECT ${inner})`),
    tie('expression').map((inner) => `CAST(${inner} AS CHAR(3))`),
    fc
      .tuple(tie('expression'), fc.constantFrom(...OPERATORS), tie('expression'))
      .map(([left, operator, right]) => `${left} ${operator} ${right}`),
  ),
}));
const beginning = fc.oneof(fc.constant('SELECT '), fc.constantFrom(...OTHER_BEGINNINGS));
const sentence = fc.tuple(beginning, expression, fc.constantFrom(...TAILS)).map((parts) => parts.join(''));

/** Mostly nonsense, for what the grammar above does not think of. */
const soup = fc
  .array(fc.oneof(called, fc.constantFrom(...'( ( ) ) , . @ 1 t a x AS IN FROM WITH OVER INTO'.split(' '))), {
    maxLength: 9,
  })
  .map((words) => `SELECT ${words.join(' ').replaceAll(' (', '(')}`);

/**
 * Statements of one table `t (id, a, b)` with an index `k`, a sequence `s` and the functions above: some ordinary,
 * some nasty, many of which no server takes.
 */
export const statement = fc.oneof(sentence, sentence, soup);
