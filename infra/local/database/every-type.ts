/** Which servers know a column type. Absent flavour: it never does. */
type Since = Readonly<Partial<Record<'mariadb' | 'mysql', readonly [major: number, minor: number]>>>;

interface TypeSample {
  readonly column: string;
  readonly type: string;
  /** SQL expressions. */
  readonly typical: string;
  readonly extreme: string;
  readonly since?: Since;
}

const EVERY_BYTE = `x'${Buffer.from(Array.from({ length: 256 }, (_, byte) => byte)).toString('hex')}'`;
const HARD_TEXT = `'4 bytes: \u{1F600}, quotes: '' " \`, backslash: \\\\, line:\\n, percent: %_, zero: \\0.'`;
const HARD_JSON = `'{"big": 12345678901234567890, "tiny": 1e-7, "text": "\u{1F600} \\\\" \\\\u0000", "list": [null, true, {}]}'`;
const SQUARE = 'POLYGON((0 0, 0 9, 9 9, 9 0, 0 0))';

const SAMPLES: readonly TypeSample[] = [
  sample('tinyint', 'TINYINT', '7', '-128'),
  sample('tinyint_unsigned', 'TINYINT UNSIGNED', '7', '255'),
  sample('boolean', 'BOOLEAN', 'TRUE', 'FALSE'),
  sample('smallint', 'SMALLINT', '7', '-32768'),
  sample('smallint_unsigned', 'SMALLINT UNSIGNED', '7', '65535'),
  sample('mediumint', 'MEDIUMINT', '7', '-8388608'),
  sample('mediumint_unsigned', 'MEDIUMINT UNSIGNED', '7', '16777215'),
  sample('int', 'INT', '7', '-2147483648'),
  sample('int_unsigned', 'INT UNSIGNED', '7', '4294967295'),
  sample('bigint', 'BIGINT', '7', '-9223372036854775808'),
  sample('bigint_unsigned', 'BIGINT UNSIGNED', '7', '18446744073709551615'),
  sample('decimal', 'DECIMAL(10,2)', '12.50', '-99999999.99'),
  sample('decimal_65_30', 'DECIMAL(65,30)', '0.1', `${'9'.repeat(35)}.${'9'.repeat(30)}`),
  sample('float', 'FLOAT', '1.5', '-3.40282e38'),
  sample('double', 'DOUBLE', '0.1', '1.7976931348623157e308'),
  sample('bit', 'BIT(1)', "b'1'", "b'0'"),
  sample('bit_64', 'BIT(64)', "b'101'", `b'${'1'.repeat(64)}'`),
  sample('date', 'DATE', "'2024-02-29'", "'9999-12-31'"),
  sample('time', 'TIME', "'12:34:56'", "'838:59:59'"),
  sample('time_6', 'TIME(6)', "'12:34:56.000001'", "'-838:59:59.000000'"),
  sample('datetime', 'DATETIME', "'2024-02-29 12:34:56'", "'1000-01-01 00:00:00'"),
  sample('datetime_6', 'DATETIME(6)', "'2024-02-29 12:34:56.100000'", "'9999-12-31 23:59:59.999999'"),
  sample('timestamp', 'TIMESTAMP', "'2024-02-29 12:34:56'", "'1970-01-01 00:00:01'"),
  sample('timestamp_6', 'TIMESTAMP(6)', "'2024-02-29 12:34:56.100000'", "'2038-01-19 03:14:07.999999'"),
  sample('year', 'YEAR', '2024', '2155'),
  sample('char', 'CHAR(100)', "'plain'", HARD_TEXT),
  sample('varchar', 'VARCHAR(500)', "'plain'", HARD_TEXT),
  sample('varchar_latin1', 'VARCHAR(50) CHARACTER SET latin1', "'caf\u00e9'", "'\u00ff\u20ac'"),
  sample('tinytext', 'TINYTEXT', "'plain'", "REPEAT('x', 255)"),
  sample('text', 'TEXT', "'plain'", HARD_TEXT),
  sample('mediumtext', 'MEDIUMTEXT', "'plain'", HARD_TEXT),
  sample('longtext', 'LONGTEXT', "'plain'", HARD_TEXT),
  sample('binary', 'BINARY(16)', "'short'", `x'${'ff'.repeat(16)}'`),
  sample('varbinary', 'VARBINARY(256)', "'short'", EVERY_BYTE),
  sample('tinyblob', 'TINYBLOB', "'short'", "REPEAT(x'00', 255)"),
  sample('blob', 'BLOB', "x'00ff10'", EVERY_BYTE),
  sample('mediumblob', 'MEDIUMBLOB', "'short'", EVERY_BYTE),
  sample('longblob', 'LONGBLOB', "'short'", EVERY_BYTE),
  sample('enum', "ENUM('red','green','it''s, blue')", "'red'", "'it''s, blue'"),
  sample('set', "SET('a','b','c')", "'a,c'", "''"),
  sample('json', 'JSON', `'{"a": 1}'`, HARD_JSON),
  sample('geometry', 'GEOMETRY', shape('POINT(1 2)'), shape(SQUARE)),
  sample('point', 'POINT', shape('POINT(1 2)'), shape('POINT(-1e300 1e-300)')),
  sample('linestring', 'LINESTRING', shape('LINESTRING(0 0, 1 1)'), shape('LINESTRING(0 0, 1 1, 2 0)')),
  sample('polygon', 'POLYGON', shape(SQUARE), shape(SQUARE)),
  sample('multipoint', 'MULTIPOINT', shape('MULTIPOINT(0 0, 1 1)'), shape('MULTIPOINT(0 0)')),
  sample(
    'multilinestring',
    'MULTILINESTRING',
    shape('MULTILINESTRING((0 0, 1 1))'),
    shape('MULTILINESTRING((0 0, 1 1), (2 2, 3 3))'),
  ),
  sample(
    'multipolygon',
    'MULTIPOLYGON',
    shape('MULTIPOLYGON(((0 0, 0 9, 9 9, 9 0, 0 0)))'),
    shape('MULTIPOLYGON(((0 0, 0 9, 9 9, 9 0, 0 0)), ((20 20, 20 21, 21 21, 20 20)))'),
  ),
  sample(
    'geometrycollection',
    'GEOMETRYCOLLECTION',
    shape('GEOMETRYCOLLECTION(POINT(1 2))'),
    shape(`GEOMETRYCOLLECTION(POINT(1 2), ${SQUARE})`),
  ),
  sample('uuid', 'UUID', "'123e4567-e89b-12d3-a456-426655440000'", "'ffffffff-ffff-ffff-ffff-ffffffffffff'", {
    mariadb: [10, 7],
  }),
  sample('inet4', 'INET4', "'192.0.2.1'", "'255.255.255.255'", { mariadb: [10, 10] }),
  sample('inet6', 'INET6', "'2001:db8::1'", "'ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff'", {
    mariadb: [10, 5],
  }),
  sample('vector', 'VECTOR(2)', "VEC_FromText('[1,2]')", "VEC_FromText('[-3.4e38,1e-38]')", {
    mariadb: [11, 7],
  }),
  sample('vector', 'VECTOR(2)', "STRING_TO_VECTOR('[1,2]')", "STRING_TO_VECTOR('[-3.4e38,1.2e-38]')", {
    mysql: [9, 0],
  }),
];

/**
 * Statements that make the table `every_type` in a database: each column type that the server knows, and three
 * rows: typical values, the farthest values, and NULL everywhere.
 */
export function everyTypeStatements(
  database: string,
  server: { readonly flavour: 'mariadb' | 'mysql'; readonly version: string },
): string[] {
  const samples = SAMPLES.filter(
    ({ since }) => since === undefined || isAtLeast(server.version, since[server.flavour]),
  );
  const columns = samples.map(({ column, type }) => `c_${column} ${type} NULL`);
  const row = (id: number, label: string, values: string[]) => `(${id}, '${label}', ${values.join(', ')})`;
  const rows = [
    row(
      1,
      'typical',
      samples.map(({ typical }) => typical),
    ),
    row(
      2,
      'extreme',
      samples.map(({ extreme }) => extreme),
    ),
    row(
      3,
      'null',
      samples.map(() => 'NULL'),
    ),
  ];
  return [
    `CREATE TABLE \`${database}\`.every_type (id INT PRIMARY KEY, label VARCHAR(20) NOT NULL, ${columns.join(', ')})`,
    `INSERT INTO \`${database}\`.every_type VALUES ${rows.join(', ')}`,
  ];
}

function sample(column: string, type: string, typical: string, extreme: string, since?: Since): TypeSample {
  return since === undefined ? { column, type, typical, extreme } : { column, type, typical, extreme, since };
}

function shape(text: string): string {
  return `ST_GeomFromText('${text}')`;
}

function isAtLeast(version: string, least: readonly [major: number, minor: number] | undefined): boolean {
  if (least === undefined) return false;
  const [major = 0, minor = 0] = version.split('.').map(Number);
  return major > least[0] || (major === least[0] && minor >= least[1]);
}
