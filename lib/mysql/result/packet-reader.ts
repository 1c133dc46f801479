/** Bytes of MySQL's protocol, from `offset` to `end`. They may be gone once whoever was given them returns. */
export interface PacketBytes {
  readonly buffer: Buffer;
  readonly offset: number;
  readonly end: number;
}

/** What stands in place of a length of one byte. */
export const LENGTH_MARKS = { null: 0xfb, twoBytes: 0xfc, threeBytes: 0xfd, eightBytes: 0xfe } as const;

/** The server answers what no server may: nothing more that comes over its connection can be relied on. */
export class ProtocolError extends Error {}

/** @throws {ProtocolError} */
export function checkAnswer(isRight: boolean, problem: string): asserts isRight {
  if (!isRight) throw new ProtocolError(`The server has sent ${problem}`);
}

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
    if (first < LENGTH_MARKS.null) return first;
    if (first === LENGTH_MARKS.twoBytes) return this.integer(2);
    if (first === LENGTH_MARKS.threeBytes) return this.integer(3);
    checkAnswer(first === LENGTH_MARKS.eightBytes, 'another packet than was due');
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
    checkAnswer(this.#at <= this.#end, 'a packet that ends within a field');
    return start;
  }
}
