import type { Param, WireValue } from '../../../lib/protocol/values.ts';

/** A value of a column in three spellings. */
interface ValueCase {
  /** For the server itself. */
  readonly sql: string;
  /** In a result. */
  readonly cell: WireValue;
  /** As a parameter; a cell will do for one too. */
  readonly param: Param;
}

interface ColumnCase {
  readonly type: string;
  readonly values: readonly ValueCase[];
  /** Absent: every server has the type. */
  readonly since?: Readonly<Partial<Record<'mariadb' | 'mysql', readonly [major: number, minor: number]>>>;
}

const EVERY_BYTE = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte));
const HARD_TEXT = '\u{1F600} é 表 \'"`\\ \n\r\t\0\x1a%_ ?:a --  ';
const LATIN = 'ÿ€\\\'"';
const BIG_JSON =
  '{"big": 12345678901234567890, "exact": 1.10, "far": 1e400, "b": 1, "a": "\\u0000 \u{1F600}"}';
const UUID = 'ffffffff-ffff-ffff-ffff-ffffffffffff';
const DIGITS_65_30 = `${'9'.repeat(35)}.${'9'.repeat(30)}`;
const TINIEST_65_30 = `0.${'0'.repeat(29)}1`;

/** Every type of column at its ends. */
export const COLUMN_CASES: readonly ColumnCase[] = [
  numbers('TINYINT', -128, 0, 127),
  numbers('TINYINT UNSIGNED', 255),
  numbers('BOOLEAN', 0, 1),
  numbers('SMALLINT', -32_768, 32_767),
  numbers('SMALLINT UNSIGNED', 65_535),
  numbers('MEDIUMINT', -8_388_608, 8_388_607),
  numbers('MEDIUMINT UNSIGNED', 16_777_215),
  numbers('INT', -2_147_483_648, 2_147_483_647),
  numbers('INT UNSIGNED', 4_294_967_295),
  numbers('INT(9) ZEROFILL', 42),
  numbers('YEAR', 0, 1901, 2155),
  digits('BIGINT', '$bigint', '-9223372036854775808', '0', '9007199254740993', '9223372036854775807'),
  digits('BIGINT UNSIGNED', '$bigint', '9223372036854775808', '18446744073709551615'),
  digits('DECIMAL(65,30)', '$decimal', DIGITS_65_30, `-${DIGITS_65_30}`, TINIEST_65_30),
  digits('DECIMAL(65,0)', '$decimal', `-${'9'.repeat(65)}`),
  digits('DECIMAL(10,4) UNSIGNED', '$decimal', '0.0000', '1.1000'),
  numbers('FLOAT', 0.1, -3.40282e38, 1.17549e-38, 1.4013e-45),
  numbers('DOUBLE', 0.1, -1.7976931348623157e308, 1e21, 2.2250738585072014e-308, 5e-324, 9007199254740991),
  bytes('BIT(1)', '00', '01'),
  bytes('BIT(64)', 'ffffffffffffffff', '0000000000000001', '8000000000000000'),

  texts('DATE', '0000-00-00', '2024-00-00', '1000-01-01', '9999-12-31'),
  texts('TIME', '-838:59:59', '838:59:59', '00:00:00'),
  texts('TIME(6)', '-838:59:59.000000', '-00:00:00.000001', '12:34:56.100000'),
  texts('DATETIME', '0000-00-00 00:00:00', '9999-12-31 23:59:59'),
  texts('DATETIME(6)', '0000-00-00 00:00:00.000000', '9999-12-31 23:59:59.999999'),
  texts('TIMESTAMP', '1970-01-01 00:00:01', '2038-01-19 03:14:07'),
  texts('TIMESTAMP(6)', '0000-00-00 00:00:00.000000', '2038-01-19 03:14:07.999999'),

  texts('CHAR(100)', '', HARD_TEXT.trimEnd(), '\u{1F600}'.repeat(100)),
  texts('VARCHAR(500)', '', '  spaces  ', HARD_TEXT, '{"$bytes": "AA=="}'),
  texts('VARCHAR(50) CHARACTER SET latin1', LATIN),
  texts('VARCHAR(50) CHARACTER SET gbk', "表\\'"),
  texts('VARCHAR(50) CHARACTER SET utf16', '\u{1F600}', "\\'"),
  texts('VARCHAR(50) CHARACTER SET utf32', '\u{1F600}', "\\'"),
  texts('TINYTEXT', '', 'x'.repeat(255)),
  texts('TEXT', '', HARD_TEXT),
  texts('MEDIUMTEXT', '', HARD_TEXT),
  texts('LONGTEXT', '', HARD_TEXT, '\u{1F600}'.repeat(50_000)),
  texts("ENUM('','red','it''s, \\\\ \u{1F600}','1')", '', 'red', "it's, \\ \u{1F600}", '1'),
  texts("SET('a','b','it''s')", '', 'a', "a,b,it's"),

  bytes('BINARY(4)', '00000000', 'ff005c27'),
  bytes('VARBINARY(256)', '', EVERY_BYTE.toString('hex')),
  bytes('TINYBLOB', '', '00'.repeat(255)),
  bytes('BLOB', '', EVERY_BYTE.toString('hex')),
  bytes('MEDIUMBLOB', '', EVERY_BYTE.toString('hex')),
  bytes('LONGBLOB', '', EVERY_BYTE.toString('hex').repeat(1_000)),
  point('GEOMETRY', 1, 2),
  point('POINT', -1e300, 5e-324),
  bytes('GEOMETRYCOLLECTION', `00000000010700000001000000${pointHex(1, 2).slice(8)}`),

  { ...texts('JSON', BIG_JSON, 'null', '""', '[]'), since: { mariadb: [10, 5] } },
  { ...texts('JSON', '[1.5, 18446744073709551615, null]', '{"a": "\u{1F600}"}'), since: { mysql: [5, 7] } },
  { ...texts('TIME(6)', '838:59:59.999999', '-838:59:59.999999'), since: { mariadb: [10, 5] } },
  { ...texts('UUID', UUID, '123e4567-e89b-12d3-a456-426655440000'), since: { mariadb: [10, 7] } },
  { ...texts('INET4', '0.0.0.0', '255.255.255.255'), since: { mariadb: [10, 10] } },
  { ...texts('INET6', '::', '2001:db8::1', '::ffff:192.0.2.1'), since: { mariadb: [10, 5] } },
  {
    ...bytes('VECTOR(2)', vectorHex(1, 2), vectorHex(-3.4e38, 1e-38)),
    since: { mariadb: [11, 7], mysql: [9, 0] },
  },
];

function numbers(type: string, ...values: number[]): ColumnCase {
  return {
    type,
    values: values.map((value) => ({ sql: String(value).replace('e+', 'e'), cell: value, param: value })),
  };
}

function digits(type: string, tag: '$bigint' | '$decimal', ...values: string[]): ColumnCase {
  const tagged = (text: string) => (tag === '$bigint' ? { $bigint: text } : { $decimal: text });
  return { type, values: values.map((text) => ({ sql: text, cell: text, param: tagged(text) })) };
}

/** The server gets them as bytes, so that no escaping is involved. */
function texts(type: string, ...values: string[]): ColumnCase {
  const sqlOf = (text: string) => `CONVERT(x'${Buffer.from(text).toString('hex')}' USING utf8mb4)`;
  return { type, values: values.map((text) => ({ sql: sqlOf(text), cell: text, param: text })) };
}

function bytes(type: string, ...hexes: string[]): ColumnCase {
  return {
    type,
    values: hexes.map((hex) => {
      const value = { $bytes: Buffer.from(hex, 'hex').toString('base64') };
      return { sql: `x'${hex}'`, cell: value, param: value };
    }),
  };
}

function point(type: string, x: number, y: number): ColumnCase {
  return {
    type,
    values: bytes(type, pointHex(x, y)).values.map((value) => ({ ...value, sql: `POINT(${x}, ${y})` })),
  };
}

/** As MySQL stores it: the number of its reference system, then WKB, little-endian. */
function pointHex(x: number, y: number): string {
  const point = Buffer.alloc(16);
  point.writeDoubleLE(x, 0);
  point.writeDoubleLE(y, 8);
  return `000000000101000000${point.toString('hex')}`;
}

function vectorHex(...values: number[]): string {
  return Buffer.from(new Float32Array(values).buffer).toString('hex');
}
