import type { LineReader } from '../../mysql/result/row-stream.ts';
import { STALL_HEADER } from '../../protocol/routes.ts';
import { STREAM_TYPE } from '../../protocol/stream.ts';
import type { Call } from '../http/call.ts';
import { type ReaderTerms, setReaderTerms, whenDrained } from '../http/slow-readers.ts';

/** A reply of lines of JSON. As long as none is written, the request can still be answered otherwise. */
export class StreamReply implements LineReader {
  readonly #call: Call;
  readonly #terms: ReaderTerms;

  /** A caller who takes nothing for `stallMs` is cut off. */
  constructor(call: Call, stallMs: number) {
    this.#call = call;
    this.#terms = { stallMs, heedsSigns: true };
  }

  get hasBegun(): boolean {
    return this.#call.isAnswered;
  }

  write(lines: Uint8Array): Promise<void> | undefined {
    const { response, held } = this.#call;
    // Whoever waits for the caller has heard of it.
    if (response.destroyed) return undefined;
    if (!this.hasBegun) this.#begin();
    if (response.write(lines)) return undefined;
    held.holdReply(response.writableLength);
    return whenDrained(response, this.#terms).finally(() => held.holdReply(response.writableLength));
  }

  /** Writes the last line. */
  end(line: object): void {
    const { response } = this.#call;
    if (response.destroyed) return;
    if (!this.hasBegun) this.#begin();
    response.end(`${JSON.stringify(line)}\n`);
  }

  #begin(): void {
    const { response, replyHeaders } = this.#call;
    setReaderTerms(response, this.#terms);
    replyHeaders['content-type'] = `${STREAM_TYPE}; charset=utf-8`;
    replyHeaders[STALL_HEADER] = this.#terms.stallMs;
    this.#call.beginReply(200);
  }
}
