import { type Connection, createConnection, type RowDataPacket } from 'mysql2/promise';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { bindStatement } from '../../../lib/mysql/sql/binding/bind.ts';
import { SqlLexer } from '../../../lib/mysql/sql/lexer/lexer.ts';
import { parseSqlMode, type SqlMode } from '../../../lib/mysql/sql/lexer/sql-mode.ts';
import { scanStatement } from '../../../lib/mysql/sql/statement-scan.ts';
import { startTestDatabase, type TestDatabase } from '../../support/database/database.ts';
import { fc } from '../../support/random.ts';
import { textOf } from './support/bound-text.ts';

const SQL_MODES = ['', 'NO_BACKSLASH_ESCAPES', 'ANSI_QUOTES', 'NO_BACKSLASH_ESCAPES,ANSI_QUOTES'];

/** All that opens, closes or escapes something. */
const FRAGMENTS = [
  ...[
    '?',
    '?',
    ',?',
    ', ?',
    ' AS a',
    ',1',
    ' ',
    '\n',
    '\t',
    '-',
    '--',
    '-- ',
    '#',
    '/',
    '*',
    '/*',
    '*/',
    '/*!',
  ],
  ...[
    '/*!50101 ',
    '/*!99999 ',
    '/*M! ',
    '/*M!100100',
    '/*+',
    "'",
    "''",
    '"',
    '""',
    '`',
    '``',
    '\\',
    "\\'",
    '\\"',
  ],
  ...[
    ",'a'",
    ',"a"',
    ' `a`',
    ',@a',
    ",@'a'",
    ',@@sql_mode',
    ':',
    '::',
    ':=1',
    ':a',
    ';',
    '.',
    'N',
    'x',
    'a',
    '$a',
  ],
  ...['$$', 'é', '\u00a0', '\u0001', '\u007f'],
];
const sqlText = fc
  .array(fc.constantFrom(...FRAGMENTS), { maxLength: 14 })
  .map((fragments) => `SELECT ?${fragments.join('')}`);

/** The tokens, whatever stands inside strings. */
function tokens(sql: string, mode: SqlMode): string[] {
  const lexer = new SqlLexer(sql, mode);
  const texts: string[] = [];
  while (lexer.next()) texts.push(lexer.text);
  return texts;
}

describe.each(SQL_MODES)('under sql_mode "%s"', (sqlMode) => {
  const mode = parseSqlMode(sqlMode);

  test('a bound text never changes the statement around it', () => {
    const value = fc.string({ unit: fc.constantFrom(...FRAGMENTS), maxLength: 10 });
    const property = fc.property(sqlText, value, (sql, text) => {
      const { placeholders, unreadable, hasSeveralStatements } = scanStatement(sql, mode);
      fc.pre(unreadable === undefined && !hasSeveralStatements);
      fc.pre(!placeholders.some(({ isInExecutableComment }) => isInExecutableComment));
      const places = placeholders.filter(({ name }) => name === undefined);
      const bindAll = (value: string) =>
        textOf(bindStatement(sql, new Array<string>(places.length).fill(value), mode, 'in_transaction'));

      const scan = scanStatement(bindAll(text), mode);
      expect(scan).toMatchObject({ unreadable: undefined, hasSeveralStatements: false });
      expect(scan.placeholders.filter(({ name }) => name === undefined)).toEqual([]);
      expect(tokens(bindAll(text), mode)).toEqual(tokens(bindAll('plain'), mode));
    });
    fc.assert(property, { numRuns: 2_000 });
  });
});

describe('a real server', () => {
  let database: TestDatabase;
  let connection: Connection;

  beforeAll(async () => {
    database = await startTestDatabase();
    const { host, port } = database.server;
    connection = await createConnection({
      host,
      port,
      ...database.app,
      charset: 'utf8mb4',
      rowsAsArray: true,
    });
  });

  afterAll(async () => {
    await connection.end();
    await database.stop();
  });

  /** Whether the server takes the text for one statement. */
  async function isPrepared(sql: string): Promise<boolean> {
    await connection.query(`SET @text = CONVERT(x'${Buffer.from(sql).toString('hex')}' USING utf8mb4)`);
    return await connection.query('PREPARE s FROM @text').then(
      () => true,
      () => false,
    );
  }

  async function sees(count: number): Promise<boolean> {
    const values = count === 0 ? '' : ` USING ${new Array(count).fill('@v').join()}`;
    return await connection.query(`EXECUTE s${values}`).then(
      () => true,
      (error: { errno?: number }) => error.errno !== 1210, // Incorrect arguments to EXECUTE
    );
  }

  test.each(SQL_MODES)('sees the same placeholders under sql_mode "%s"', async (sqlMode) => {
    await connection.query(`SET sql_mode = '${sqlMode}', @v = 1`);
    const mode = parseSqlMode(sqlMode);
    let compared = 0;
    const property = fc.asyncProperty(sqlText, async (sql) => {
      const { placeholders, unreadable } = scanStatement(sql, mode);
      fc.pre(unreadable === undefined);
      fc.pre(await isPrepared(sql));
      compared += 1;
      const places = placeholders.filter(({ name }) => name === undefined);
      const surePlaces = places.filter(({ isInExecutableComment }) => !isInExecutableComment);
      const counts = Array.from(
        { length: places.length - surePlaces.length + 1 },
        (_, more) => surePlaces.length + more,
      );
      const answers = await Promise.all(counts.map(sees));
      expect(answers, `${places.length} placeholders`).toContain(true);
    });
    await fc.assert(property, { numRuns: 250 });
    expect(compared).toBeGreaterThan(50);
  });

  test.each([
    ['', 'SELECT ? --1', '2'],
    ['', 'SELECT ? -- 1', '1'],
    ['', 'SELECT ? --\u00011', '1'],
    ['', 'SELECT ?--?', '2'],
    ['', "SELECT /*!99999 'a' */ ?", '1'],
    ['', "SELECT /*!99999 ' */ ?", undefined],
    ['', 'SELECT /*!40000 ? + */ ?', '2'],
    ['', 'SELECT /*!123 + */ ?', '124'],
    ['', 'SELECT /*! /* ? */ ? + */ ?', '2'],
    ['', "SELECT CONCAT('\\'?', ?)", "'?1"],
    ['NO_BACKSLASH_ESCAPES', "SELECT CONCAT('\\', ?, '?')", '\\1?'],
    ['ANSI_QUOTES', 'SELECT "\\", ? FROM (SELECT ? AS "\\") AS "?"', '1'],
    ['', 'SELECT CONCAT("\\"?", ?)', '"?1'],
    ['', "SELECT CONCAT('?' -- '\n, ?) # '", '?1'],
    ['', 'SELECT ? ; ; -- end', '1'],
  ])('reads under sql_mode "%s" as the scanner does: %s', async (sqlMode, sql, expected) => {
    await connection.query(`SET sql_mode = '${sqlMode}'`);
    const mode = parseSqlMode(sqlMode);
    const { placeholders } = scanStatement(sql, mode);
    const bind = () =>
      textOf(
        bindStatement(
          sql,
          placeholders.map(() => 1),
          mode,
          'standalone',
        ),
      );
    if (expected === undefined) {
      expect(bind).toThrow('cannot be read');
      return;
    }
    const [rows] = await connection.query<RowDataPacket[]>(bind());
    expect(String(rows[0]?.[0])).toBe(expected);
  });

  test.each([
    'SET `sql_mode` = DEFAULT',
    'SET @@session . sql_mode = DEFAULT',
    'SET @a = 1, NAMES utf8mb4',
    'SET CHAR SET utf8mb4',
    'SET LOCAL TRANSACTION READ WRITE',
    '/*!50101 COMMIT */',
    'BEGIN NOT ATOMIC SELECT 1; END',
    'IF 1 THEN SELECT 1; END IF',
  ])('would run %s, and the scanner does not let it through', async (sql) => {
    const isMysqlRefusal = database.server.flavour === 'mysql' && /^(BEGIN NOT|IF)/.test(sql);
    if (!isMysqlRefusal) await connection.query(sql);
    expect(() => bindStatement(sql, undefined, parseSqlMode(''), 'standalone')).toThrow(
      expect.objectContaining({ code: 'STATEMENT_NOT_ALLOWED' }),
    );
  });
});
