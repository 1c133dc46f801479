import { type Connection, createConnection, type RowDataPacket } from 'mysql2/promise';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { SqlLexer, type TokenKind } from '../../../lib/mysql/sql/lexer/lexer.ts';
import { parseSqlMode, type SqlMode } from '../../../lib/mysql/sql/lexer/sql-mode.ts';
import { scanStatement } from '../../../lib/mysql/sql/statement-scan.ts';
import { startTestDatabase, type TestDatabase } from '../../support/database/database.ts';
import { fc } from '../../support/random.ts';

/** More of them for a longer look: LEXER_RUNS=50000. */
const RUNS = Number(process.env.LEXER_RUNS ?? 300);

const SQL_MODES = [
  '',
  'NO_BACKSLASH_ESCAPES',
  'ANSI_QUOTES',
  'ANSI,NO_BACKSLASH_ESCAPES',
  'IGNORE_SPACE,HIGH_NOT_PRECEDENCE,PIPES_AS_CONCAT',
];

const KEYWORDS = [
  'AS',
  'AND',
  'NOT',
  'DIV',
  'NULL',
  'IN',
  'INTO',
  'SELECT',
  'OUTFILE',
  'DUMPFILE',
  'FROM',
  'INT1',
];

/** What numbers, identifiers, strings and comments begin with, end with and are confused by. */
const FRAGMENTS = [
  ...[
    '1',
    '0',
    '5',
    '.',
    '.5',
    '1.',
    '1.5',
    'e',
    'E',
    'e5',
    'e+5',
    '1e-5',
    '1e',
    '0x',
    '0x1F',
    '0X1F',
    '0b',
    '0b1',
  ],
  ...[
    'x',
    'X',
    'b',
    'N',
    'n',
    'a',
    't',
    't.',
    '$',
    '_',
    'é',
    '表',
    '1a',
    "_utf8mb4'a'",
    "_utf8mb4 'a'",
    '\\N',
    '\\',
  ],
  ...["'41'", "'1'", "'a'", '"a"', '"1"', '`a`', '`1a`', "'it''s'", "'\\\\'", "'\\'", '"\\""', '``'],
  ...['@a', '@', '@@', '@@version_comment', "@'a'", '@`a`', ' ', ' ', '\n', '\t', '\u00a0', '\ufeff'],
  ...[
    '+',
    '-',
    '*',
    '/',
    '%',
    '=',
    '<',
    '>',
    '!',
    '|',
    '||',
    '&',
    '^',
    '~',
    ',',
    ',',
    '(',
    ')',
    ';',
    '{',
    '[',
    ']',
  ],
  ...['/**/', '/* a */', '#\n', '-- \n', '--', '/*', '*/', ...KEYWORDS, ...KEYWORDS],
];
const fragments = fc.array(fc.constantFrom(...FRAGMENTS), { minLength: 1, maxLength: 8 });
/** Short, and such that much of it is SQL. */
const item = fc.oneof(
  fc
    .tuple(
      fc.constantFrom(
        '1',
        '1.',
        '.5',
        '1.5',
        '1e5',
        '1.5e+5',
        '0x1F',
        '0b1',
        "x'41'",
        "'a'",
        'a',
        '1a',
        't.1e5',
        '@a',
        '\\N',
      ),
      fc.constantFrom('', '', '', ' ', '/**/', '.', 'e', '5', '$'),
      fc.constantFrom(
        '',
        'a',
        'AS a',
        'AND 1',
        'DIV 2',
        'NOT',
        'INTO @a',
        '`a`',
        "'a'",
        '"a"',
        '--1',
        '+1',
        'é',
        '$',
        '_a',
        '1',
      ),
    )
    .map((parts) => parts.join('')),
  fragments.map((parts) => parts.join('')),
);
const expressions = fc.array(item, { minLength: 1, maxLength: 2 }).map((items) => items.join(','));

interface Token {
  readonly kind: TokenKind;
  readonly text: string;
  /** Nothing stands between it and the one before. */
  readonly isGlued: boolean;
}

/** undefined: the text is not read, or read in two ways. */
function tokensOf(sql: string, mode: SqlMode): Token[] | undefined {
  const lexer = new SqlLexer(sql, mode);
  const tokens: Token[] = [];
  for (let lastEnd = 0; lexer.next(); lastEnd = lexer.end) {
    const { kind, start, end } = lexer;
    tokens.push({ kind, text: sql.slice(start, end), isGlued: start === lastEnd });
  }
  return lexer.unreadable === undefined && !lexer.holdsLiveComment ? tokens : undefined;
}

/** What servers take together where nothing stands between. */
const OPERATOR = /^(?:@@|[<>=!|&]+)$/;

/**
 * The text with blanks between all tokens and every word that is no keyword in backquotes: to a server that sees the
 * same tokens it is the same.
 */
function spelledOut(tokens: readonly Token[]): string {
  return tokens
    .map((token, index) => {
      const [last, next] = [tokens[index - 1], tokens[index + 1]];
      const isVariable = token.isGlued && last?.text === '@';
      const isPair = token.isGlued && OPERATOR.test((last?.text ?? '') + token.text);
      const isGlued = isPair || isVariable || (token.isGlued && isPrefix(tokens, index - 1));
      const isServersVariable = isVariable && tokens[index - 2]?.text === '@';
      const isKeyword = KEYWORDS.includes(token.text.toUpperCase()) && !isQualified(tokens, index);
      const isPlainWord = token.kind === 'word' && !isServersVariable && !isKeyword;
      const isQuoted = isPlainWord && !(next && isPrefix(tokens, index));
      return (isGlued ? '' : ' ') + (isQuoted ? `\`${token.text}\`` : token.text);
    })
    .join('');
}

/** A word before or behind a dot is never a keyword. */
function isQualified(tokens: readonly Token[], index: number): boolean {
  const [last, token] = [tokens[index - 1], tokens[index]];
  const [next, afterNext] = [tokens[index + 1], tokens[index + 2]];
  const isBehindDot = last?.text === '.' && token?.isGlued === true;
  const isBeforeDot = next?.text === '.' && next.isGlued && afterNext?.kind === 'word' && afterNext.isGlued;
  return isBehindDot || isBeforeDot;
}

/** N'...', x'...', b'...' are one literal; a character set may also stand apart from its text. */
function isPrefix(tokens: readonly Token[], index: number): boolean {
  const [word, string] = [tokens[index], tokens[index + 1]];
  if (word?.kind !== 'word' || isQualified(tokens, index)) return false;
  if (/^_utf8mb4$/i.test(word.text)) return true;
  return (
    string?.kind === 'string' && string.isGlued && string.text.startsWith("'") && /^[nxb]$/i.test(word.text)
  );
}

let database: TestDatabase;
let connection: Connection;

beforeAll(async () => {
  database = await startTestDatabase();
  const { host, port } = database.server;
  const flags = ['-IGNORE_SPACE'];
  connection = await createConnection({
    host,
    port,
    ...database.app,
    charset: 'utf8mb4',
    rowsAsArray: true,
    flags,
  });
});

afterAll(async () => {
  await connection.end();
  await database.stop();
});

const COLUMNS = ['a', '1a', '1e', '1e5', 'é', '$', '_', 'e', 'e5', 'x', 'b', 'N', '1$'];
const FROM = ` FROM (SELECT ${COLUMNS.map((name, index) => `${index + 10} AS \`${name}\``).join()}) AS t`;

/** The account has no FILE privilege; the server writes nowhere; no such privilege at all. */
const FILE_ERRNOS = [1045, 1290, 1227];

interface Answer {
  readonly rows?: string;
  readonly errno?: number;
}

async function answerTo(sql: string): Promise<Answer> {
  try {
    const [rows] = await connection.query<RowDataPacket[]>(sql);
    return { rows: JSON.stringify(rows) };
  } catch (error) {
    return { errno: Number(Object(error).errno) };
  }
}

describe.each(SQL_MODES)('under sql_mode "%s"', (sqlMode) => {
  const mode = parseSqlMode(sqlMode);

  test(
    'the server ends every word, number and string where the lexer does',
    async () => {
      await connection.query(`SET sql_mode = '${sqlMode}', @a = NULL`);
      let understood = 0;
      const property = fc.asyncProperty(expressions, async (text) => {
        const sql = `SELECT ${text}${FROM}`;
        const tokens = tokensOf(sql, mode);
        fc.pre(tokens !== undefined);
        const answer = await answerTo(sql);
        if (answer.rows !== undefined) understood += 1;
        expect(await answerTo(spelledOut(tokens)), spelledOut(tokens)).toEqual(answer);
      });
      await fc.assert(property, { numRuns: RUNS });
      expect(understood).toBeGreaterThan(RUNS / 10);
    },
    60_000 + RUNS * 20,
  );

  test(
    'no spelling of a file that the server would write is let through',
    async () => {
      await connection.query(`SET sql_mode = '${sqlMode}'`);
      let writing = 0;
      const disguised = fc.tuple(
        item,
        fc.constantFrom('', ' ', '/**/', '/*!*/', '.', '#\n', 'AS a', '\\N'),
        fc.constantFrom('INTO', 'into', '/*!INTO*/', '/*!50101 INTO */', '/*M!INTO*/'),
        fc.constantFrom(' ', '/**/', '\n', '/*!99999 @a */', '-- \n', '/*!*/'),
        fc.constantFrom('OUTFILE', 'dumpfile', 'OutFile', '/*!DUMPFILE*/'),
        fc.constantFrom("'/p'", " '/p'", "/**/'/p'", '"/p"', "/*!'/p'*/"),
      );
      const property = fc.asyncProperty(disguised, async (parts) => {
        const sql = `SELECT ${parts.join('')}`;
        const answer = await answerTo(sql);
        if (answer.errno === undefined || !FILE_ERRNOS.includes(answer.errno)) return;
        writing += 1;
        const { forbidden, unreadable } = scanStatement(sql, mode);
        expect(unreadable ?? forbidden, sql).toBeDefined();
      });
      await fc.assert(property, { numRuns: RUNS });
      expect(writing).toBeGreaterThan(RUNS / 50);
    },
    60_000 + RUNS * 20,
  );
});
