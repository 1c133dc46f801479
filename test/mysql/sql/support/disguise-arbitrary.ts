import { fc } from '../../../support/random.ts';

/** What a disguise may hide, from the start of the list: ends the transaction, changes how statements are read. */
const HIDDEN = [
  ...[
    'COMMIT',
    'ROLLBACK',
    'BEGIN',
    'START TRANSACTION',
    'COMMIT AND CHAIN',
    'XA END a',
    'LOCK TABLES mark READ',
  ],
  ...['CREATE TABLE hidden (a INT)', 'DROP TABLE scratch', 'TRUNCATE scratch', 'ANALYZE TABLE mark'],
  ...['GRANT SELECT ON app.* TO app', 'FLUSH STATUS', 'CREATE TEMPORARY SEQUENCE hidden'],
  ...[
    'SET autocommit = 0',
    'SET sql_mode = MSSQL',
    'SET @a = 1, @@session.sql_mode = MSSQL',
    'SET NAMES latin1',
  ],
  ...['SET completion_type = 1', 'SET STATEMENT max_statement_time = 9 FOR COMMIT', 'USE mysql'],
];

type Disguise = (sql: string) => string;

const SPACES = [
  ' ',
  '\t',
  '\n',
  '\r',
  '\v',
  '\f',
  '/**/',
  '/* a */',
  '-- a\n',
  '#\n',
  '\u00a0',
  '\u3000',
  '\u200b',
];

const DISGUISES: readonly Disguise[] = [
  (sql) => sql.toLowerCase(),
  (sql) => `/* a */ ${sql} -- end`,
  (sql) => `/* /* */ ${sql}`,
  (sql) => `/* /* */ ${sql} */`,
  (sql) => `# ${sql}\n${sql}`,
  (sql) => `--${sql}`,
  (sql) => `-- a\n${sql}; ;`,
  (sql) => `/*!${sql}*/`,
  (sql) => `/*!50101 ${sql} */`,
  (sql) => `/*!50700${sql}*/`,
  (sql) => `/*!99999 ${sql}*/`,
  (sql) => `/*!100100 ${sql}*/`,
  (sql) => `/*!999999${sql}*/`,
  (sql) => `/*M!${sql}*/`,
  (sql) => `/*M!100100 ${sql} */`,
  (sql) => `/*!99999 SELECT */ ${sql}`,
  (sql) => `/*+ a */ ${sql}`,
  (sql) => `SELECT 1 /*!99999 */; ${sql}`,
  (sql) => `SELECT 1; ${sql}`,
  (sql) => `;${sql}`,
  (sql) => `(${sql})`,
  (sql) => `{${sql}}`,
  (sql) => `${sql}\0`,
  (sql) => `\ufeff${sql}`,
  (sql) => `DELIMITER //\n${sql}//`,
  (sql) => `BEGIN NOT ATOMIC ${sql}; END`,
  (sql) => `a: BEGIN NOT ATOMIC ${sql}; END a`,
  (sql) => `<<a>> BEGIN ${sql}; END`,
  (sql) => `IF 1 THEN ${sql}; END IF`,
  (sql) => `CASE 1 WHEN 1 THEN ${sql}; END CASE`,
  (sql) => `FOR i IN 1..1 DO ${sql}; END FOR`,
  (sql) => `SET STATEMENT max_statement_time = 9 FOR ${sql}`,
  (sql) => `EXPLAIN ${sql}`,
  (sql) => `WITH a AS (SELECT 1) ${sql}`,
  (sql) => `EXECUTE IMMEDIATE ${inQuotes(sql, "'")}`,
  (sql) => `EXECUTE IMMEDIATE ${inQuotes(sql, '"')}`,
  (sql) => `execute/**/immediate${inQuotes(sql, "'")} USING 1`,
  (sql) => `EXECUTE IMMEDIATE N${inQuotes(sql, "'")}`,
  (sql) => `EXECUTE IMMEDIATE _utf8mb4 ${inQuotes(sql, "'")}`,
  (sql) => `EXECUTE IMMEDIATE (${inQuotes(sql, "'")})`,
  (sql) => `EXECUTE IMMEDIATE CONCAT(${inQuotes(sql, "'")}, '')`,
  (sql) => `EXECUTE IMMEDIATE '${sql.slice(0, 3)}' '${sql.slice(3)}'`,
  (sql) => `EXECUTE IMMEDIATE '${sql.replace(/[COMALS]/g, '\\$&')}'`,
  (sql) => `EXECUTE IMMEDIATE x'${Buffer.from(sql).toString('hex')}'`,
  (sql) => `EXECUTE IMMEDIATE /*!99999 'DO 1' USING */ ${inQuotes(sql, "'")}`,
  (sql) => `PREPARE p FROM ${inQuotes(sql, "'")}`,
  (sql) => `PREPARE /*!99999 p FROM 'DO 1' */ p FROM ${inQuotes(sql, '"')}`,
  (sql) => `SET @p = ${inQuotes(sql, "'")}`,
];

function inQuotes(sql: string, quote: string): string {
  return quote + sql.replaceAll('\\', '\\\\').replaceAll(quote, quote + quote) + quote;
}

const disguised = fc
  .tuple(
    fc.constantFrom(...HIDDEN),
    fc.constantFrom(' ', ...SPACES),
    fc.array(fc.constantFrom(...DISGUISES), { maxLength: 2 }),
  )
  .map(([hidden, space, disguises]) =>
    disguises.reduce((sql, disguise) => disguise(sql), hidden.replaceAll(' ', space)),
  );

/** Every disguise once, around a COMMIT. */
export const DISGUISED_COMMITS = DISGUISES.map((disguise) => disguise('COMMIT'));

/** What a prepared text or a variable with one is used by later. */
const USES = ['EXECUTE p', 'PREPARE p FROM @p', 'EXECUTE IMMEDIATE @p', 'DO 0'];

/** Statements for one connection, one of them in disguise. */
export const disguisedStatements = fc
  .tuple(disguised, fc.array(fc.constantFrom(...USES), { maxLength: 2 }))
  .map(([sql, uses]) => [sql, ...uses]);
