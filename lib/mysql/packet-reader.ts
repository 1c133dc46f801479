import { assert } from '../errors.ts';

/** Bytes of MySQL's protocol, from `offset` to `end`. They are gone once whoever was given them returns. */
export interface PacketBytes {
  readonly buffer: Buffer;
  readonly offset: number;
  readonly end: number;
}

/** What stands in place of a length of one byte. */
const NULL = 0xfb;
const TWO_BYTES = 0xfc;
const THREE_BYTES = 0xfd;
const EIGHT_BYTES = 0xfe;

/** Reads the fields of a packet one after the other: integers are little-endian, text is UTF-8. */
export class PacketReader {
  readonly #buffer: Buffer;
  readonly #end: number;
  #at: number;

  constructor({ buffer, offset, end }: PacketBytes) {
    this.#buffer = buffer;
    this.#at = offset;
    this.#end = end;
  }

  get isAtEnd(): boolean {
    return this.#at >= this.#end;
  }

  /** Of 1 to 6 bytes. */
  integer(bytes: number): number {
    return this.#buffer.readUIntLE(this.#skip(bytes), bytes);
  }

  /** An integer that tells its own length (int<lenenc>): exact, whatever its size. */
  lengthCoded(): number | bigint {
    const first = this.integer(1);
    if (first < NULL) return first;
    if (first === TWO_BYTES) return this.integer(2);
    if (first === THREE_BYTES) return this.integer(3);
    assert(first === EIGHT_BYTES, 'a packet that is no packet of this kind');
    const value = this.#buffer.readBigUInt64LE(this.#skip(8));
    return value > Number.MAX_SAFE_INTEGER ? value : Number(value);
  }

  /** Text behind its length (string<lenenc>). */
  text(): string {
    const start = this.skipText();
    return this.#buffer.toString('utf8', start, this.#at);
  }

  /** All that is left. */
  rest(): string {
    return this.#buffer.toString('utf8', this.#at, this.#end);
  }

  /** Returns where it began. */
  skipText(): number {
    return this.#skip(Number(this.lengthCoded()));
  }

  /** The part of it that comes behind its length, for another to read. */
  part(): PacketReader {
    const offset = this.skipText();
    return new PacketReader({ buffer: this.#buffer, offset, end: this.#at });
  }

  /** Passes over bytes. Returns where they began. */
  #skip(bytes: number): number {
    const start = this.#at;
    this.#at += bytes;
    assert(this.#at <= this.#end, 'a packet that ends within a field');
    return start;
  }
}
