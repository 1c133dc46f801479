import { TwoGenerationCache } from '../../collections/two-generation-cache.ts';
import { CELL_ENCODINGS, type CellEncoding, type ColumnDefinition, describeColumn } from './column-types.ts';
import { type PacketBytes, PacketReader } from './packet-reader.ts';

/** The columns of a result set, in the form that writers need. */
export interface ColumnSet {
  /** The columns as a JSON array, as callers get them. */
  readonly json: Buffer;
  /** The encoding of each column's cells. */
  readonly encodings: readonly CellEncoding[];
}

export const NO_COLUMNS: ColumnSet = { json: Buffer.from('[]'), encodings: [] };

/** Together these limit the cache to some megabytes, whatever callers query. */
const MAX_SETS = 500;
const MAX_KEY_LENGTH = 4_000;

/** By the bytes of their definitions, so that a changed table has other ones. */
const sets = new TwoGenerationCache<ColumnSet>(MAX_SETS);

/** Collects the column definitions of a result set. They repeat, so most come from the cache. */
export class ColumnSetReader {
  readonly #isExtended: boolean;
  #missing: number;
  /** The definitions one after the other; each knows its end. */
  #definitions: string;

  /** @param isExtended With MariaDB's extended metadata, as negotiated at the login. */
  constructor(columns: number, isExtended: boolean) {
    this.#missing = columns;
    this.#isExtended = isExtended;
    this.#definitions = '';
  }

  /** The columns, once these were the last. */
  add({ buffer, offset, end }: PacketBytes): ColumnSet | undefined {
    this.#definitions += buffer.toString('latin1', offset, end);
    this.#missing -= 1;
    return this.#missing === 0 ? this.#read() : undefined;
  }

  #read(): ColumnSet {
    const key = `${Number(this.#isExtended)}${this.#definitions}`;
    const known = sets.get(key);
    if (known !== undefined) return known;
    const set = readColumnSet(Buffer.from(this.#definitions, 'latin1'), this.#isExtended);
    if (key.length <= MAX_KEY_LENGTH) sets.set(key, set);
    return set;
  }
}

function readColumnSet(buffer: Buffer, isExtended: boolean): ColumnSet {
  const reader = new PacketReader({ buffer, offset: 0, end: buffer.length });
  const columns = [];
  while (!reader.isAtEnd) columns.push(describeColumn(readDefinition(reader, isExtended)));
  return {
    json: Buffer.from(JSON.stringify(columns)),
    encodings: columns.map(({ type }) => CELL_ENCODINGS[type]),
  };
}

/** Catalog, schema, table alias and table come before a column's name. */
const TEXTS_BEFORE_NAME = 4;

/** ColumnDefinition41 of MySQL's protocol, with what MariaDB adds. */
function readDefinition(reader: PacketReader, isExtended: boolean): ColumnDefinition {
  for (let text = 0; text < TEXTS_BEFORE_NAME; text += 1) reader.skipText();
  const name = reader.text();
  // The original name behind an alias.
  reader.skipText();
  const extension = isExtended ? readExtension(reader.nested()) : {};
  // The length of the following fields, which is fixed.
  reader.integer(1);
  const characterSet = reader.integer(2);
  const columnLength = reader.integer(4);
  const columnType = reader.integer(1);
  const flags = reader.integer(2);
  const decimals = reader.integer(1);
  // Unused.
  reader.integer(2);
  return { name, ...extension, characterSet, columnLength, columnType, flags, decimals };
}

const TYPE_NAME = 0;
const FORMAT = 1;

function readExtension(reader: PacketReader): Pick<ColumnDefinition, 'extendedTypeName' | 'extendedFormat'> {
  const fields = new Map<number, string>();
  while (!reader.isAtEnd) fields.set(reader.integer(1), reader.text());
  return { extendedTypeName: fields.get(TYPE_NAME), extendedFormat: fields.get(FORMAT) };
}
