import { type Connection, createConnection, type RowDataPacket } from 'mysql2/promise';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { bindStatement } from '../../../../lib/mysql/sql/binding/bind.ts';
import { parseSqlMode, type SqlMode } from '../../../../lib/mysql/sql/lexer/sql-mode.ts';
import type { Param, Params } from '../../../../lib/protocol/values.ts';
import { READABLE_SQL_MODES } from '../../../../lib/settings/sql-modes.ts';
import { startTestDatabase, type TestDatabase } from '../../../support/database/database.ts';
import { fc } from '../../../support/random.ts';
import { textOf } from '../support/bound-text.ts';
import { alias, gap, hex, number, place, text } from '../support/value-arbitrary.ts';

/** The modes that decide how text is quoted. Each test runs with each of these, and any of the others. */
const QUOTING_MODES = ['', 'NO_BACKSLASH_ESCAPES', 'ANSI_QUOTES', 'NO_BACKSLASH_ESCAPES,ANSI_QUOTES'];

/** Those of any server; one that does not know a mode has it left out. */
const OTHER_MODES = READABLE_SQL_MODES.filter((mode) => !QUOTING_MODES.includes(mode));

const RUNS = 250;

let database: TestDatabase;
let connection: Connection;
let knownModes: readonly string[];

beforeAll(async () => {
  database = await startTestDatabase();
  const { host, port } = database.server;
  connection = await createConnection({ host, port, ...database.app, charset: 'utf8mb4', rowsAsArray: true });
  const known: string[] = [];
  for (const mode of OTHER_MODES) {
    await connection.query(`SET sql_mode = '${mode}'`).then(
      () => known.push(mode),
      () => undefined,
    );
  }
  knownModes = known;
});

afterAll(async () => {
  await connection.end();
  await database.stop();
});

/** A text as a user writes it into a statement. */
function quoted(content: string, { noBackslashEscapes }: SqlMode): string {
  const doubled = content.replace(/\0/g, '').replaceAll("'", "''");
  return `'${noBackslashEscapes ? doubled : doubled.replaceAll('\\', '\\\\')}'`;
}

/** The first row, every value as the server prints it. */
async function run(sqlMode: string, sql: string, params: Params): Promise<(string | null)[]> {
  await connection.query(`SET sql_mode = '${sqlMode}'`);
  const bound = textOf(bindStatement(sql, params, parseSqlMode(sqlMode), 'standalone'));
  const typeCast = (field: { string(): string | null }) => field.string();
  const [rows] = await connection.query<RowDataPacket[]>({ sql: bound, typeCast });
  return Object.values(rows[0] ?? []);
}

test('every mode is known by what the server makes of it', async () => {
  for (const mode of [...knownModes, ...QUOTING_MODES]) {
    await connection.query(`SET sql_mode = '${mode}'`);
    const [[row]] = await connection.query<RowDataPacket[]>('SELECT @@sql_mode');
    const modes = String(row?.[0]).split(',');
    expect([mode, parseSqlMode(mode)]).toEqual([
      mode,
      {
        ansiQuotes: modes.includes('ANSI_QUOTES'),
        noBackslashEscapes: modes.includes('NO_BACKSLASH_ESCAPES'),
      },
    ]);
  }
});

test('an empty text is NULL under EMPTY_STRING_IS_NULL, like any other there', async () => {
  if (database.server.flavour !== 'mariadb') return;
  expect(await run('EMPTY_STRING_IS_NULL', "SELECT ?, '', ?", ['', ' '])).toEqual([null, null, ' ']);
});

describe.each(QUOTING_MODES)('under sql_mode "%s" and any others', (quoting) => {
  const sqlMode = fc
    .subarray(OTHER_MODES)
    .map((others) => [quoting, ...others.filter((mode) => knownModes.includes(mode))].join(','));

  test('every value comes back as it was sent, wherever in the statement it stands', async () => {
    const piece = fc.record({ place, gaps: fc.tuple(gap, gap, gap, gap), alias, literal: text });
    const pieces = fc.array(piece, { minLength: 1, maxLength: 4 });
    const property = fc.asyncProperty(
      sqlMode,
      pieces,
      fc.boolean(),
      gap,
      async (modes, all, isNamed, end) => {
        const columns = all.map(({ place: { before, after }, gaps, alias: name, literal }, index) => {
          const written = `HEX(${gaps[0]}${quoted(literal, parseSqlMode(modes))})`;
          const placeholder = isNamed ? `:p${index}` : '?';
          return `${written}${gaps[1]},${before}${gaps[2]}${placeholder}${gaps[3]}${after}${name}`;
        });
        const values = all.map((one): Param => one.place.value);
        const named = Object.fromEntries(values.map((value, index) => [`p${index}`, value]));
        const answer = await run(modes, `SELECT ${columns.join(',')}${end}`, isNamed ? named : values);
        const expected = all.flatMap((one) => [hex(one.literal.replace(/\0/g, '')), one.place.expected]);
        expect(answer).toEqual(expected);
      },
    );
    await fc.assert(property, { numRuns: RUNS });
  });

  test('every number comes back as the double that was sent', async () => {
    const property = fc.asyncProperty(sqlMode, number, number, async (modes, one, other) => {
      const answer = await run(modes, 'SELECT 0e0+?, ? -- ?\n+0e0, 5-?', [one, other, -5]);
      expect(answer.map(Number)).toEqual([one + 0, other + 0, 10]);
    });
    await fc.assert(property, { numRuns: RUNS });
  });
});
