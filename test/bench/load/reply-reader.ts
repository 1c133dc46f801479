export interface HttpReply {
  readonly status: number;
  /** Of a reply in chunks, with their frames. */
  text(): string;
}

const HEAD_END = '\r\n\r\n';
/** No line of JSON can look like it. */
const LAST_CHUNK = '0\r\n\r\n';

/** Finds the end of one reply after another. It knows only what the services of the benchmark send. */
export class ReplyReader {
  #head: string | undefined;
  #chunks: Buffer[] = [];
  #missingBytes: number | undefined;
  #tail = '';

  begin(): void {
    this.#head = undefined;
    this.#chunks = [];
    this.#missingBytes = undefined;
    this.#tail = '';
  }

  /** @returns the reply whose last bytes these are. */
  take(chunk: Buffer): HttpReply | undefined {
    const body = this.#head === undefined ? this.#takeHead(chunk) : chunk;
    if (body === undefined) return undefined;
    this.#chunks.push(body);
    return this.#isWhole(body) ? this.#finish() : undefined;
  }

  #takeHead(chunk: Buffer): Buffer | undefined {
    this.#chunks.push(chunk);
    const bytes = this.#chunks.length === 1 ? chunk : Buffer.concat(this.#chunks);
    const end = bytes.indexOf(HEAD_END);
    if (end < 0) return undefined;
    this.#head = bytes.toString('latin1', 0, end);
    const length = /\r\ncontent-length: *(\d+)/i.exec(this.#head)?.[1];
    this.#missingBytes = length === undefined ? undefined : Number(length);
    this.#chunks = [];
    return bytes.subarray(end + HEAD_END.length);
  }

  #isWhole(body: Buffer): boolean {
    if (this.#missingBytes !== undefined) {
      this.#missingBytes -= body.length;
      return this.#missingBytes <= 0;
    }
    this.#tail = (this.#tail + body.subarray(-LAST_CHUNK.length).toString('latin1')).slice(
      -LAST_CHUNK.length,
    );
    return this.#tail === LAST_CHUNK;
  }

  #finish(): HttpReply {
    const chunks = this.#chunks;
    const status = Number(this.#head?.slice(9, 12));
    this.begin();
    return { status, text: () => Buffer.concat(chunks).toString('utf8') };
  }
}
