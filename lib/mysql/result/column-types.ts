import type { Column, ColumnType } from '../../protocol/query.ts';

/** A column definition of the protocol. */
export interface ColumnDefinition {
  readonly name: string;
  readonly columnType: number;
  readonly flags: number;
  readonly characterSet: number;
  readonly columnLength: number;
  readonly decimals: number;
  /** MariaDB: uuid, inet4, inet6, vector ... */
  readonly extendedTypeName?: string | undefined;
  /** MariaDB: json. */
  readonly extendedFormat?: string | undefined;
}

/** The character set of binary data. */
const BINARY_CHARSET = 63;
/** `decimals` of a value without a fixed scale (NOT_FIXED_DEC); MariaDB also uses 39. */
const NOT_FIXED_DECIMALS = 31;

const NOT_NULL_FLAG = 1;
const UNSIGNED_FLAG = 32;
const ENUM_FLAG = 256;
const SET_FLAG = 2048;

/** Column types of the protocol (enum_field_types) whose meaning does not depend on flags. */
const TYPE_BY_CODE: Readonly<Record<number, ColumnType>> = {
  0: 'DECIMAL',
  1: 'TINYINT',
  2: 'SMALLINT',
  3: 'INT',
  4: 'FLOAT',
  5: 'DOUBLE',
  6: 'NULL',
  7: 'TIMESTAMP',
  8: 'BIGINT',
  9: 'MEDIUMINT',
  10: 'DATE',
  11: 'TIME',
  12: 'DATETIME',
  13: 'YEAR',
  16: 'BIT',
  242: 'VECTOR',
  245: 'JSON',
  246: 'DECIMAL',
  247: 'ENUM',
  248: 'SET',
  255: 'GEOMETRY',
};

const BLOB_CODES = new Set([249, 250, 251, 252]);
const STRING_CODE = 254;

const TYPE_BY_EXTENDED_NAME: Readonly<Record<string, ColumnType>> = {
  uuid: 'UUID',
  inet4: 'INET4',
  inet6: 'INET6',
  vector: 'VECTOR',
};

function columnTypeOf(definition: ColumnDefinition): ColumnType {
  if (definition.extendedFormat === 'json') return 'JSON';
  const extended = TYPE_BY_EXTENDED_NAME[definition.extendedTypeName ?? ''];
  if (extended !== undefined) return extended;
  const plain = TYPE_BY_CODE[definition.columnType];
  if (plain !== undefined) return plain;
  if (definition.flags & ENUM_FLAG) return 'ENUM';
  if (definition.flags & SET_FLAG) return 'SET';
  const isBinary = definition.characterSet === BINARY_CHARSET;
  if (BLOB_CODES.has(definition.columnType)) return isBinary ? 'BLOB' : 'TEXT';
  if (definition.columnType === STRING_CODE) return isBinary ? 'BINARY' : 'CHAR';
  return isBinary ? 'VARBINARY' : 'VARCHAR';
}

const NUMERIC_TYPES: ReadonlySet<ColumnType> = new Set([
  'TINYINT',
  'SMALLINT',
  'MEDIUMINT',
  'INT',
  'BIGINT',
  'YEAR',
  'FLOAT',
  'DOUBLE',
  'DECIMAL',
]);
const SCALED_TYPES: ReadonlySet<ColumnType> = new Set(['DECIMAL', 'TIME', 'DATETIME', 'TIMESTAMP']);

export function describeColumn(definition: ColumnDefinition): Column {
  const type = columnTypeOf(definition);
  const isScaled = SCALED_TYPES.has(type) && definition.decimals < NOT_FIXED_DECIMALS;
  return {
    name: definition.name,
    type,
    ...(definition.flags & UNSIGNED_FLAG && NUMERIC_TYPES.has(type) ? { unsigned: true } : {}),
    nullable: (definition.flags & NOT_NULL_FLAG) === 0,
    length: definition.columnLength,
    ...(isScaled ? { scale: definition.decimals } : {}),
  };
}

/** How the cells of a column are written as JSON: `bytes` as `{"$bytes": base64}`. */
export type CellEncoding = 'number' | 'text' | 'bytes';

/** The encoding depends on the column's type, never on the value. */
export const CELL_ENCODINGS: Readonly<Record<ColumnType, CellEncoding>> = {
  TINYINT: 'number',
  SMALLINT: 'number',
  MEDIUMINT: 'number',
  INT: 'number',
  BIGINT: 'text',
  YEAR: 'number',
  FLOAT: 'number',
  DOUBLE: 'number',
  DECIMAL: 'text',
  DATE: 'text',
  TIME: 'text',
  DATETIME: 'text',
  TIMESTAMP: 'text',
  CHAR: 'text',
  VARCHAR: 'text',
  TEXT: 'text',
  ENUM: 'text',
  SET: 'text',
  UUID: 'text',
  INET4: 'text',
  INET6: 'text',
  BINARY: 'bytes',
  VARBINARY: 'bytes',
  BLOB: 'bytes',
  GEOMETRY: 'bytes',
  BIT: 'bytes',
  VECTOR: 'bytes',
  JSON: 'text',
  NULL: 'text',
};
