import { TwoGenerationCache } from '../../collections/two-generation-cache.ts';
import { type CellEncoding, type ColumnDefinition, cellEncodingOf, describeColumn } from './column-types.ts';
import { type PacketBytes, PacketReader } from './packet-reader.ts';

/** The columns of a set of rows, ready for whoever writes them. */
export interface ColumnSet {
  /** As callers get them: a JSON array. */
  readonly json: Buffer;
  /** How the cells of each are written. */
  readonly forms: readonly CellEncoding[];
}

export const NO_COLUMNS: ColumnSet = { json: Buffer.from('[]'), forms: [] };

/** Callers ask for what they like: together these bound what is kept to some megabytes. */
const MAX_SETS = 500;
const MAX_KEY_LENGTH = 4_000;

/** By the very bytes that define them, so that none outlives a change of its table. */
const sets = new TwoGenerationCache<ColumnSet>(MAX_SETS);

/** Takes in the definitions of a set's columns, which are the same again and again: few are ever read. */
export class ColumnSetReader {
  readonly #isExtended: boolean;
  #missing: number;
  /** One definition behind the other: each tells where it ends. */
  #definitions: string;

  /** @param isExtended With MariaDB's metadata, as agreed upon at the login. */
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
    forms: columns.map(({ type }) => cellEncodingOf(type)),
  };
}

/** Of a column: its catalog, schema, table and the table's own name; then its name. */
const TEXTS_BEFORE_NAME = 4;

/** ColumnDefinition41 of MySQL's protocol, with what MariaDB adds. */
function readDefinition(reader: PacketReader, isExtended: boolean): ColumnDefinition {
  for (let text = 0; text < TEXTS_BEFORE_NAME; text += 1) reader.skipText();
  const name = reader.text();
  // Its own name, where that is an alias.
  reader.skipText();
  const extension = isExtended ? readExtension(reader.part()) : {};
  // The length of what follows, which is fixed.
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
