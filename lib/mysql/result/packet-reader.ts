/** Bytes of MySQL's protocol, from `offset` to `end`. They must be read synchronously: the buffer is reused. */
export interface PacketBytes {
  readonly buffer: Buffer;
  readonly offset: number;
  readonly end: number;
}

/** Marks in place of a length of one byte. */
export const LENGTH_MARKS = { null: 0xfb, twoBytes: 0xfc, threeBytes: 0xfd, eightBytes: 0xfe } as const;

/** The server violated the protocol: the connection is unusable. */
export class ProtocolError extends Error {}

/** @throws {ProtocolError} */
export function checkResponse(isRight: boolean, problem: string): asserts isRight {
  if (!isRight) throw new ProtocolError(`The server has sent ${problem}`);
}

/** Reads the fields of a packet in order: integers are little-endian, text is UTF-8. */
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

  /** Reads an integer of 1 to 6 bytes. */
  integer(bytes: number): number {
    return this.#buffer.readUIntLE(this.#skip(bytes), bytes);
  }

  /** Reads a length-encoded integer (int<lenenc>), exact whatever its size. */
  lengthEncoded(): number | bigint {
    const first = this.integer(1);
    if (first < LENGTH_MARKS.null) return first;
    if (first === LENGTH_MARKS.twoBytes) return this.integer(2);
    if (first === LENGTH_MARKS.threeBytes) return this.integer(3);
    checkResponse(first === LENGTH_MARKS.eightBytes, 'an unexpected packet');
    const value = this.#buffer.readBigUInt64LE(this.#skip(8));
    return value > Number.MAX_SAFE_INTEGER ? value : Number(value);
  }

  /** Reads a length-encoded string (string<lenenc>). */
  text(): string {
    const start = this.skipText();
    return this.#buffer.toString('utf8', start, this.#at);
  }

  /** Reads the rest as text. */
  rest(): string {
    return this.#buffer.toString('utf8', this.#at, this.#end);
  }

  /** Skips a length-encoded string. Returns its start. */
  skipText(): number {
    return this.#skip(Number(this.lengthEncoded()));
  }

  /** A reader for a length-encoded part. */
  nested(): PacketReader {
    const offset = this.skipText();
    return new PacketReader({ buffer: this.#buffer, offset, end: this.#at });
  }

  /** Skips bytes. Returns their start. */
  #skip(bytes: number): number {
    const start = this.#at;
    this.#at += bytes;
    checkResponse(this.#at <= this.#end, 'a packet that ends within a field');
    return start;
  }
}
