import { BrokerError } from '../../errors.ts';
import { JsonText } from '../../protocol/json-text.ts';

/** Text without any of these is read by JSON.parse alone. Keys may be spelled with escapes. */
const NEEDS_CARE = /\$json"|__proto__|\\u00[2-7]|\d{16}|[eE]\+?\d{3}/;

/**
 * JSON as its sender meant it: what `JSON.parse` would round is refused, and the document of a `{"$json": ...}`
 * comes as its {@link JsonText}. Fractions and numbers with an exponent are doubles. Of doubled keys the last counts.
 *
 * @throws {BrokerError} INVALID_REQUEST, with the place of what cannot be taken.
 */
export function parseExactly(text: string): unknown {
  try {
    const parsed: unknown = JSON.parse(text);
    return NEEDS_CARE.test(text) ? new ExactReader(text).read() : parsed;
  } catch (cause) {
    if (cause instanceof SyntaxError) throw invalid('The body is not valid JSON', cause);
    // The stack of the reader ran out.
    if (cause instanceof RangeError) throw invalid('the body is nested too deeply', cause);
    throw cause;
  }
}

const SPACE = /[ \t\n\r]*/y;
/** A number, true, false or null. */
const WORD = /[^ \t\n\r,\]}]*/y;
const BRACKET_OR_QUOTE = /[[\]{}"]/g;

/** Reads text that is known to be valid JSON. */
class ExactReader {
  readonly #text: string;
  readonly #path: (string | number)[] = [];
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  read(): unknown {
    const first = this.#peek();
    if (first === '{') return this.#readObject();
    if (first === '[') return this.#readArray();
    return first === '"' ? this.#readString() : this.#readWord();
  }

  #readObject(): Record<string, unknown> {
    const members = new Map<string, unknown>();
    this.#at += 1;
    while (this.#peek() !== '}') {
      if (this.#peek() === ',') this.#at += 1;
      else {
        const key = this.#readKey();
        this.#path.push(key);
        members.set(key, key === '$json' ? new JsonText(this.#skipValue()) : this.read());
        this.#path.pop();
      }
    }
    this.#at += 1;
    return Object.fromEntries(members);
  }

  #readKey(): string {
    const key = this.#readString();
    if (key === '__proto__') throw this.#refuse('has the field "__proto__", which is not allowed');
    this.#peek();
    // The colon.
    this.#at += 1;
    return key;
  }

  #readArray(): unknown[] {
    const items: unknown[] = [];
    this.#at += 1;
    while (this.#peek() !== ']') {
      if (this.#peek() === ',') this.#at += 1;
      else {
        this.#path.push(items.length);
        items.push(this.read());
        this.#path.pop();
      }
    }
    this.#at += 1;
    return items;
  }

  #readString(): string {
    this.#peek();
    const start = this.#at;
    this.#skipString();
    return String(JSON.parse(this.#text.slice(start, this.#at)));
  }

  #readWord(): unknown {
    const word = this.#take(WORD);
    const value: unknown = JSON.parse(word);
    if (typeof value !== 'number') return value;
    if (/^-?\d+$/.test(word) && !Number.isSafeInteger(value)) {
      throw this.#refuse('is an integer beyond 2^53: send {"$bigint": "digits"} or {"$decimal": "digits"}');
    }
    if (!Number.isFinite(value)) throw this.#refuse('is a number beyond the range of DOUBLE');
    return value;
  }

  /** Passes over a value, however deep it is, and returns its text. */
  #skipValue(): string {
    const first = this.#peek();
    const start = this.#at;
    if (first === '"') this.#skipString();
    else if (first !== '{' && first !== '[') this.#take(WORD);
    else this.#skipBrackets();
    return this.#text.slice(start, this.#at);
  }

  #skipBrackets(): void {
    let depth = 0;
    do {
      BRACKET_OR_QUOTE.lastIndex = this.#at;
      const symbol = BRACKET_OR_QUOTE.exec(this.#text)?.[0];
      this.#at = BRACKET_OR_QUOTE.lastIndex;
      if (symbol === '{' || symbol === '[') depth += 1;
      else if (symbol !== '"') depth -= 1;
      else {
        this.#at -= 1;
        this.#skipString();
      }
    } while (depth > 0);
  }

  #skipString(): void {
    do this.#at = this.#text.indexOf('"', this.#at + 1);
    while (this.#isEscaped());
    this.#at += 1;
  }

  #isEscaped(): boolean {
    let before = this.#at;
    while (this.#text[before - 1] === '\\') before -= 1;
    return (this.#at - before) % 2 === 1;
  }

  /** The next character that is not white space. */
  #peek(): string {
    this.#take(SPACE);
    return this.#text.charAt(this.#at);
  }

  #take(pattern: RegExp): string {
    pattern.lastIndex = this.#at;
    const [taken = ''] = pattern.exec(this.#text) ?? [];
    this.#at += taken.length;
    return taken;
  }

  #refuse(problem: string): BrokerError {
    return invalid(`${this.#path.length === 0 ? 'the body' : this.#path.join('.')} ${problem}`);
  }
}

function invalid(message: string, cause?: unknown): BrokerError {
  return new BrokerError('INVALID_REQUEST', message, { cause });
}
