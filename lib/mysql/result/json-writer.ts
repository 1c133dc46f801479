import { isUtf8 } from 'node:buffer';

const FIRST_CHUNK_BYTES = 512;
const LARGEST_CHUNK_BYTES = 65_536;
/** Longer text is written in pieces, so that the room reserved for escapes stays small. */
const PIECE_BYTES = 1_024;
/** `\u001f` for one byte. */
const LONGEST_ESCAPE_BYTES = 6;

const ZERO = 0x30;
const NINE = 0x39;
const MINUS = 0x2d;
const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const FIRST_PRINTABLE = 0x20;

/** Builds JSON as UTF-8 from the bytes that MySQL sends, without an object or a string for each value. */
export class JsonWriter {
  #full: Buffer[] = [];
  #fullBytes = 0;
  #chunk = Buffer.allocUnsafe(FIRST_CHUNK_BYTES);
  /** The part of the chunk that was not taken yet. */
  #start = 0;
  #end = 0;

  /** Bytes that were not taken yet. */
  get length(): number {
    return this.#fullBytes + this.#end - this.#start;
  }

  /** Adds JSON. */
  add(json: Buffer): void {
    this.#makeRoom(json.length);
    this.#end += json.copy(this.#chunk, this.#end);
  }

  /** Like `add`, for a short ASCII string; a byte loop beats Buffer.write here. */
  addToken(json: string): void {
    this.#makeRoom(json.length);
    for (let index = 0; index < json.length; index += 1) {
      this.#chunk[this.#end] = json.charCodeAt(index);
      this.#end += 1;
    }
  }

  /** Adds UTF-8 text as a string. */
  addText(source: Buffer, start: number, end: number): void {
    this.addToken('"');
    for (let from = start; from < end; from += PIECE_BYTES) {
      this.#addEscaped(source, from, Math.min(end, from + PIECE_BYTES));
    }
    this.addToken('"');
  }

  /** Adds a number as MySQL prints it. JSON has no leading zeros (ZEROFILL), and -0 is written as 0. */
  addNumber(source: Buffer, start: number, end: number): void {
    const isUnlikeJson = startsWithZero(source, start, end) || isSignedZero(source, start, end);
    if (isUnlikeJson) this.addToken(JSON.stringify(Number(source.toString('latin1', start, end))));
    else this.#copy(source, start, end);
  }

  /** Adds bytes as base64, without quotes. */
  addBase64(source: Buffer, start: number, end: number): void {
    const base64 = source.toString('base64', start, end);
    this.#makeRoom(base64.length);
    this.#end += this.#chunk.write(base64, this.#end, 'latin1');
  }

  /** Returns and removes all JSON so far. */
  take(): Buffer {
    const rest = this.#chunk.subarray(this.#start, this.#end);
    const json = this.#full.length === 0 ? rest : Buffer.concat([...this.#full, rest]);
    this.#full = [];
    this.#fullBytes = 0;
    this.#start = this.#end;
    // A server may send text that is not valid UTF-8.
    return isUtf8(json) ? json : Buffer.from(json.toString('utf8'));
  }

  #addEscaped(source: Buffer, start: number, end: number): void {
    this.#makeRoom(LONGEST_ESCAPE_BYTES * (end - start));
    const chunk = this.#chunk;
    let at = this.#end;
    for (let index = start; index < end; index += 1) {
      const byte = source[index] ?? 0;
      if (byte < FIRST_PRINTABLE || byte === QUOTE || byte === BACKSLASH) {
        at += chunk.write(escapeOf(byte), at);
      } else {
        chunk[at] = byte;
        at += 1;
      }
    }
    this.#end = at;
  }

  #copy(source: Buffer, start: number, end: number): void {
    this.#makeRoom(end - start);
    // Faster than a call of Buffer.copy for few bytes.
    for (let index = start; index < end; index += 1) {
      this.#chunk[this.#end] = source[index] ?? 0;
      this.#end += 1;
    }
  }

  #makeRoom(bytes: number): void {
    if (this.#end + bytes <= this.#chunk.length) return;
    if (this.#end > this.#start) {
      this.#full.push(this.#chunk.subarray(this.#start, this.#end));
      this.#fullBytes += this.#end - this.#start;
    }
    const next = Math.min(2 * this.#chunk.length, LARGEST_CHUNK_BYTES);
    this.#chunk = Buffer.allocUnsafe(Math.max(next, bytes));
    this.#start = 0;
    this.#end = 0;
  }
}

function escapeOf(byte: number): string {
  return JSON.stringify(String.fromCharCode(byte)).slice(1, -1);
}

function startsWithZero(source: Buffer, start: number, end: number): boolean {
  const second = source[start + 1] ?? 0;
  return source[start] === ZERO && start + 1 < end && second >= ZERO && second <= NINE;
}

function isSignedZero(source: Buffer, start: number, end: number): boolean {
  return source[start] === MINUS && source[start + 1] === ZERO && end === start + 2;
}
