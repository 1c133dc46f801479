import { describe, expect, test } from 'vitest';
import { Result } from '../../../lib/protocol/query.ts';
import { http } from '../../support/http.ts';
import { useBroker } from '../../support/use-broker.ts';
import { literal } from '../support/dialect.ts';

const { database, broker } = await useBroker();

const int = (value: number) => literal(database.server, value);

describe('a result', () => {
  test('encodes each cell by the type of its column', async () => {
    const result = await broker.query(
      `SELECT CAST(-9223372036854775808 AS SIGNED) AS low, 18446744073709551615 AS high, 1 AS one,
        CAST('1.50' AS DECIMAL(10,4)) AS exact, TIMESTAMP'2026-11-22 16:05:01.000000' AS at, 0.1e0 AS approximate,
        x'00ff' AS bytes, b'101' AS bits, 'é😀' AS text, NULL AS nothing`,
    );
    expect(result.rows).toEqual([
      [
        '-9223372036854775808',
        '18446744073709551615',
        int(1),
        '1.5000',
        '2026-11-22 16:05:01.000000',
        0.1,
        { $bytes: 'AP8=' },
        { $bytes: 'BQ==' },
        'é😀',
        null,
      ],
    ]);
  });

  test('describes its columns', async () => {
    await database.admin.query('DROP TABLE IF EXISTS app.described');
    await database.admin.query(
      `CREATE TABLE app.described (id BIGINT UNSIGNED NOT NULL, price DECIMAL(10,2), at DATETIME(3), doc JSON,
        kind ENUM('a','b'), flags SET('x','y'), note TEXT, raw BLOB, tag VARCHAR(10), code BINARY(4), born YEAR)`,
    );
    const { columns } = await broker.query('SELECT * FROM described');
    expect(columns.map(({ name, type }) => [name, type])).toEqual([
      ['id', 'BIGINT'],
      ['price', 'DECIMAL'],
      ['at', 'DATETIME'],
      ['doc', 'JSON'],
      ['kind', 'ENUM'],
      ['flags', 'SET'],
      ['note', 'TEXT'],
      ['raw', 'BLOB'],
      ['tag', 'VARCHAR'],
      ['code', 'BINARY'],
      ['born', 'YEAR'],
    ]);
    expect(columns[0]).toMatchObject({ unsigned: true, nullable: false, length: 20 });
    expect(columns[1]).toMatchObject({ nullable: true, scale: 2 });
    expect(columns[2]).toMatchObject({ scale: 3 });
  });

  test('keeps columns of the same name apart', async () => {
    expect((await broker.query('SELECT 1 AS a, 2 AS a')).rows).toEqual([[int(1), int(2)]]);
  });

  test('has generated columns, and invisible ones where they are named', async () => {
    await database.admin.query(
      `CREATE TABLE app.computed (n BIGINT, hidden INT DEFAULT 7 INVISIBLE, twice BIGINT AS (n * 2) STORED,
        half DECIMAL(20,1) AS (n / 2) VIRTUAL)`,
    );
    await broker.query('INSERT INTO computed (n) VALUES (?)', [{ $bigint: '4611686018427387903' }]);
    const row = ['4611686018427387903', '9223372036854775806', '2305843009213693951.5'];
    expect((await broker.query('SELECT * FROM computed')).rows).toEqual([row]);
    expect((await broker.query('SELECT hidden, computed.* FROM computed')).rows).toEqual([[7, ...row]]);
  });

  test('tells what a write did', async () => {
    await broker.query('CREATE TABLE written (id BIGINT UNSIGNED AUTO_INCREMENT PRIMARY KEY, n INT)');
    const inserted = await broker.query('INSERT INTO written (id, n) VALUES (?, 1), (?, 1)', [
      { $bigint: '18446744073709551613' },
      { $bigint: '18446744073709551614' },
    ]);
    expect(inserted).toMatchObject({ columns: [], rows: [], affectedRows: 2 });
    const updated = await broker.query('UPDATE written SET n = IF(id = 18446744073709551613, 2, 1)');
    expect(updated).toMatchObject({ affectedRows: 2, changedRows: 1, insertId: null, warnings: 0 });
  });

  test('tells the generated id of an unsigned column beyond 2^63', async () => {
    await broker.query(
      'CREATE TABLE numbered (id BIGINT UNSIGNED AUTO_INCREMENT PRIMARY KEY) AUTO_INCREMENT = 18446744073709551610',
    );
    expect((await broker.query('INSERT INTO numbered VALUES (NULL)')).insertId).toBe('18446744073709551610');
  });

  test('of a procedure that selects twice has both sets', async () => {
    await database.admin.query(
      'CREATE PROCEDURE app.two_sets() BEGIN SELECT 1 AS a; SELECT 2 AS b, 3 AS c; END',
    );
    const result = await broker.query('CALL two_sets()');
    expect(result.rows).toEqual([[int(1)]]);
    expect(result.resultSets?.map(({ rows }) => rows)).toEqual([[[int(1)]], [[int(2), int(3)]]]);
  });
});

describe('a value', () => {
  test.each([
    [null, null],
    [true, int(1)],
    [-5, int(-5)],
    ['it\'s "quoted" \\ and \u0000 ended', 'it\'s "quoted" \\ and \u0000 ended'],
    [{ $bigint: '18446744073709551615' }, '18446744073709551615'],
    [{ $decimal: '-12345678901234567890.123456789' }, '-12345678901234567890.123456789'],
    [{ $bytes: 'AP8nXA==' }, { $bytes: 'AP8nXA==' }],
    [{ $json: { a: [1, "it's"] } }, '{"a":[1,"it\'s"]}'],
  ])('%j goes in and comes out as %j', async (value, expected) => {
    expect((await broker.query('SELECT ? AS value', [value])).rows).toEqual([[expected]]);
  });

  test.each([
    '{"big": 12345678901234567890, "exact": 1.10, "far": 1e400, "2": 0, "1": 0, "2": 0}',
    '{"__proto__": {"constructor": "it\'s \\\\ \\" \\u0000 \u{1F600}"}}',
    '18446744073709551616',
    '" "',
  ])('that is the document %s goes in to the letter', async (document) => {
    const body = `{"sql": "SELECT :doc, HEX(:doc)", "params": {"doc": {"$json": ${document} }}}`;
    const reply = await http(broker.queryUrl(), { headers: broker.headers(), body });
    const hex = Buffer.from(document).toString('hex').toUpperCase();
    expect(Result.parse(reply.json()).rows).toEqual([[document, hex]]);
  });

  test.each([
    ['"params": [1, 9007199254740993]', 'params.1'],
    ['"params": {"id": -12345678901234567890}', 'params.id'],
    ['"params": [{"$list": [1, 9007199254740992]}]', 'params.0.$list.1'],
    ['"params": [], "maxRows": 99999999999999999999', 'maxRows'],
  ])('that would be rounded is refused with its place: %s', async (fields, place) => {
    const body = `{"sql": "SELECT 1", ${fields}}`;
    const reply = await http(broker.queryUrl(), { headers: broker.headers(), body });
    expect([reply.status, reply.json()]).toMatchObject([
      400,
      {
        error: {
          code: 'INVALID_REQUEST',
          message: expect.stringContaining(`${place} is an integer beyond 2^53`),
        },
      },
    ]);
  });

  test.each([
    ['batch', '{"sql": "SELECT ?", "paramSets": [[1], [9007199254740993]]}', 'paramSets.1.0'],
    [
      'transaction',
      '{"statements": [{"sql": "SELECT :a", "params": {"a": 9007199254740993}}]}',
      'statements.0.params.a',
    ],
  ])('that would be rounded is refused in a %s too', async (call, body, place) => {
    const url = `${broker.url}/v1/databases/default/${call}`;
    const reply = await http(url, { headers: broker.headers(), body });
    const message = expect.stringContaining(`${place} is an integer beyond 2^53`);
    expect(reply.json()).toMatchObject({ error: { code: 'INVALID_REQUEST', message } });
  });

  test('is bound by name, as often as the name occurs', async () => {
    const { rows } = await broker.query("SELECT :a, ':a', :b, :a -- :c", { a: 1, b: 'two' });
    expect(rows).toEqual([[int(1), ':a', 'two', int(1)]]);
  });

  test('that is a list fills IN (?)', async () => {
    const { rows } = await broker.query(
      'SELECT n FROM (SELECT 1 AS n UNION SELECT 2 UNION SELECT 3) AS t WHERE n IN (?) ORDER BY n',
      [{ $list: [1, 3] }],
    );
    expect(rows).toEqual([[int(1)], [int(3)]]);
  });
});
