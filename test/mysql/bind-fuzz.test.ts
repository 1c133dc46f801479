import fc from 'fast-check';
import { type Connection, createConnection, type RowDataPacket } from 'mysql2/promise';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { bindStatement } from '../../lib/mysql/bind.ts';
import { parseSqlMode } from '../../lib/mysql/sql-mode.ts';
import type { Params } from '../../lib/protocol/values.ts';
import { startTestDatabase, type TestDatabase } from '../support/database.ts';

const SQL_MODES = [
  '',
  'NO_BACKSLASH_ESCAPES',
  'ANSI_QUOTES',
  'NO_BACKSLASH_ESCAPES,ANSI_QUOTES',
  'STRICT_TRANS_TABLES',
] as const;

const RUNS = 150;

/** Text made mostly of what is dangerous in SQL, and of any other characters. */
const text = fc.string({
  unit: fc.oneof(
    {
      weight: 3,
      arbitrary: fc.constantFrom(
        ...'\'"`\\?:;#@$%_\0\n\r\t\x1a ',
        '--',
        '-- ',
        '/*',
        '*/',
        '/*!',
        "\\'",
        "''",
      ),
    },
    {
      weight: 1,
      arbitrary: fc.constantFrom('a', ':a', ' OR 1=1', 'é', '表', '\u{1f600}', '\u00a0', '\uffff'),
    },
    { weight: 1, arbitrary: fc.string({ unit: 'binary', minLength: 1, maxLength: 1 }) },
  ),
  maxLength: 40,
});
const bytes = fc.uint8Array({ maxLength: 40 }).map((data) => Buffer.from(data));
const bigint = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 64n - 1n }).map(String);
const decimal = fc
  .tuple(fc.bigInt({ min: -(10n ** 34n), max: 10n ** 34n }), fc.stringMatching(/^[0-9]{30}$/))
  .map(([whole, fraction]) => `${whole}.${fraction}`);
const number = fc
  .oneof(fc.double({ noNaN: true, noDefaultInfinity: true }), fc.integer())
  .filter((value) => !Number.isInteger(value) || Number.isSafeInteger(value));

let database: TestDatabase;
let connection: Connection;

beforeAll(async () => {
  database = await startTestDatabase();
  const { host, port } = database.server;
  connection = await createConnection({ host, port, ...database.app, charset: 'utf8mb4', rowsAsArray: true });
});

afterAll(async () => {
  await connection.end();
  await database.stop();
});

/** The first row, every value as the server prints it. */
async function firstRow(sql: string): Promise<(string | null)[]> {
  const typeCast = (field: { string(): string | null }) => field.string();
  const [rows] = await connection.query<RowDataPacket[]>({ sql, typeCast });
  return Object.values(rows[0] ?? []);
}

function hex(value: string | Uint8Array): string {
  return Buffer.from(value).toString('hex').toUpperCase();
}

describe.each(SQL_MODES)('under sql_mode "%s"', (sqlMode) => {
  const mode = parseSqlMode(sqlMode);
  const run = (sql: string, params: Params) => firstRow(bindStatement(sql, params, mode, 'alone').text);

  beforeAll(async () => {
    await connection.query(`SET sql_mode = '${sqlMode}'`);
  });

  test('every text comes back as it was sent', async () => {
    const property = fc.asyncProperty(text, text, async (a, b) => {
      expect(await run("SELECT HEX(?), '?', HEX(?) -- ?", [a, b])).toEqual([hex(a), '?', hex(b)]);
      expect(await run("SELECT HEX(:b), ':a', HEX(:a) # :b", { a, b })).toEqual([hex(b), ':a', hex(a)]);
    });
    await fc.assert(property, { numRuns: RUNS });
  });

  test('every text is found in a list that holds it, and in no other', async () => {
    const property = fc.asyncProperty(
      text,
      fc.array(text, { minLength: 1, maxLength: 5 }),
      async (a, list) => {
        const params = [{ $bytes: Buffer.from(a).toString('base64') }, { $list: list }];
        expect(await run('SELECT ? IN (?)', params)).toEqual([list.includes(a) ? '1' : '0']);
      },
    );
    await fc.assert(property, { numRuns: RUNS });
  });

  test('binary data, JSON and numbers come back as they were sent', async () => {
    const property = fc.asyncProperty(bytes, fc.json(), bigint, decimal, number, async (...sent) => {
      const [data, json, big, exact, double] = sent;
      const [hexData, hexJson, ...numbers] = await run(
        'SELECT HEX(?), HEX(?), ?, CAST(? AS DECIMAL(65,30)), ?+0e0',
        [
          { $bytes: data.toString('base64') },
          { $json: JSON.parse(json) },
          { $bigint: big },
          { $decimal: exact },
          double,
        ],
      );
      expect([hexData, hexJson]).toEqual([hex(data), hex(JSON.stringify(JSON.parse(json)))]);
      const [bigText, exactText, doubleText] = numbers;
      expect([bigText, exactText]).toEqual([big, exact]);
      expect(Number(doubleText) === double, `${doubleText} for ${double}`).toBe(true);
    });
    await fc.assert(property, { numRuns: RUNS });
  });

  test('NULL and booleans come back as they were sent', async () => {
    expect(await run('SELECT ?, ?, ?', [null, true, false])).toEqual([null, '1', '0']);
  });
});
