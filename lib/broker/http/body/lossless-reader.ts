import { BrokerError } from '../../../errors.ts';
import { JsonText } from '../../../protocol/json-text.ts';

/** Far more than any request has outside of `$json`. */
const MAX_DEPTH = 500;
/** Integers of up to this many digits are exact. */
const EXACT_DIGITS = 15;

const QUOTE = 0x22;
const COMMA = 0x2c;
const BACKSLASH = 0x5c;
const MINUS = 0x2d;
const DIGIT_0 = 0x30;
const DIGIT_9 = 0x39;
const OPEN_ARRAY = 0x5b;
const CLOSE_ARRAY = 0x5d;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;
const SPACE = 0x20;

type Container = unknown[] | Record<string, unknown>;

/** Parses valid JSON as `parseLossless` describes, in steps. */
export class LosslessReader {
  readonly #text: string;
  /** The containers that are open, and the key or index that is being read in each. */
  readonly #open: Container[] = [];
  readonly #path: (string | number)[] = [];
  #at = 0;
  #value: unknown;

  constructor(text: string) {
    this.#text = text;
  }

  /** The value, when all is read. */
  get value(): unknown {
    return this.#value;
  }

  /** Reads up to `maxValues` more values. True when all is read. @throws {BrokerError} INVALID_REQUEST. */
  readOn(maxValues: number): boolean {
    if (this.#at === 0) this.#value = this.#readValue();
    for (let left = maxValues; left > 0; left -= 1) {
      const container = this.#open.at(-1);
      if (container === undefined) return true;
      this.#readNextIn(container);
    }
    return this.#open.length === 0;
  }

  #readNextIn(container: Container): void {
    let code = this.#peek();
    if (code === COMMA) {
      this.#at += 1;
      code = this.#peek();
    }
    const last = this.#path.length - 1;
    if (code === CLOSE_ARRAY || code === CLOSE_OBJECT) {
      this.#at += 1;
      this.#open.pop();
      this.#path.pop();
    } else if (Array.isArray(container)) {
      this.#path[last] = container.length;
      // A container is filled in place by later steps.
      container.push(this.#readValue());
    } else {
      const key = this.#readKey();
      this.#path[last] = key;
      container[key] = key === '$json' ? new JsonText(this.#skipValue()) : this.#readValue();
    }
  }

  /** A value. An array or object is still empty, and open. */
  #readValue(): unknown {
    const code = this.#peek();
    if (code === OPEN_OBJECT) return this.#enter({});
    if (code === OPEN_ARRAY) return this.#enter([]);
    if (code === QUOTE) return this.#readString();
    if (code === MINUS || isDigit(code)) return this.#readNumber();
    const word = this.#text.charAt(this.#at);
    this.#at += word === 'f' ? 'false'.length : 'true'.length;
    return word === 'n' ? null : word === 't';
  }

  #enter(container: Container): Container {
    if (this.#open.length === MAX_DEPTH) throw invalid('the body is nested too deeply');
    this.#at += 1;
    this.#open.push(container);
    this.#path.push(0);
    return container;
  }

  #readKey(): string {
    const key = this.#readString();
    // Skip the colon.
    this.#peek();
    this.#at += 1;
    if (key !== '__proto__') return key;
    this.#path.pop();
    throw this.#refuse('has the field "__proto__", which is not allowed');
  }

  #readString(): string {
    const start = this.#at;
    const isPlain = this.#skipString();
    if (isPlain) return this.#text.slice(start + 1, this.#at - 1);
    return String(JSON.parse(this.#text.slice(start, this.#at)));
  }

  #readNumber(): number {
    const text = this.#text;
    const start = this.#at;
    let end = start + 1;
    while (isDigit(text.charCodeAt(end))) end += 1;
    const integerEnd = end;
    while (!endsWord(text.charCodeAt(end))) end += 1;
    this.#at = end;
    const value = Number(text.slice(start, end));
    if (end === integerEnd && end - start > EXACT_DIGITS && !Number.isSafeInteger(value)) {
      throw this.#refuse('is an integer beyond 2^53: send {"$bigint": "digits"} or {"$decimal": "digits"}');
    }
    if (!Number.isFinite(value)) throw this.#refuse('is a number beyond the range of DOUBLE');
    return value;
  }

  /** Skips a value of any depth, and returns its text. */
  #skipValue(): string {
    const text = this.#text;
    const first = this.#peek();
    const start = this.#at;
    if (first === QUOTE) this.#skipString();
    else if (first !== OPEN_OBJECT && first !== OPEN_ARRAY) {
      while (!endsWord(text.charCodeAt(this.#at))) this.#at += 1;
    } else this.#skipBrackets();
    return text.slice(start, this.#at);
  }

  #skipBrackets(): void {
    let depth = 0;
    do {
      const code = this.#text.charCodeAt(this.#at);
      if (code === QUOTE) {
        this.#skipString();
        continue;
      }
      if (code === OPEN_OBJECT || code === OPEN_ARRAY) depth += 1;
      else if (code === CLOSE_OBJECT || code === CLOSE_ARRAY) depth -= 1;
      this.#at += 1;
    } while (depth > 0);
  }

  /** True if it holds no escape. */
  #skipString(): boolean {
    const text = this.#text;
    let isPlain = true;
    let at = this.#at + 1;
    for (let code = text.charCodeAt(at); code !== QUOTE; code = text.charCodeAt(at)) {
      if (code === BACKSLASH) {
        isPlain = false;
        at += 1;
      }
      at += 1;
    }
    this.#at = at + 1;
    return isPlain;
  }

  /** The next character that is not white space. */
  #peek(): number {
    let code = this.#text.charCodeAt(this.#at);
    while (code <= SPACE) {
      this.#at += 1;
      code = this.#text.charCodeAt(this.#at);
    }
    return code;
  }

  #refuse(problem: string): BrokerError {
    return invalid(`${this.#path.length === 0 ? 'the body' : this.#path.join('.')} ${problem}`);
  }
}

function isDigit(code: number): boolean {
  return code >= DIGIT_0 && code <= DIGIT_9;
}

function endsWord(code: number): boolean {
  return (
    code <= SPACE || code === COMMA || code === CLOSE_ARRAY || code === CLOSE_OBJECT || Number.isNaN(code)
  );
}

function invalid(message: string): BrokerError {
  return new BrokerError('INVALID_REQUEST', message);
}
