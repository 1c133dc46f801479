import type { NdjsonSink } from '../../mysql/result/row-stream.ts';
import { STALL_HEADER } from '../../protocol/routes.ts';
import { STREAM_TYPE } from '../../protocol/stream.ts';
import type { Call } from '../http/call.ts';
import { type ReaderLimits, setReaderLimits, whenDrained } from '../http/slow-readers.ts';

/** An NDJSON reply. Until its first line is written, the request can still get a plain reply. */
export class StreamReply implements NdjsonSink {
  readonly #call: Call;
  readonly #limits: ReaderLimits;

  /** @param stallMs A caller that reads nothing for this long is disconnected. */
  constructor(call: Call, stallMs: number) {
    this.#call = call;
    this.#limits = { stallMs, countsReadingSigns: true };
  }

  get hasBegun(): boolean {
    return this.#call.isAnswered;
  }

  write(lines: Uint8Array): Promise<void> | undefined {
    const { response, held } = this.#call;
    // The caller hung up: `call.gone` has stopped the statement.
    if (response.destroyed) return undefined;
    if (!this.hasBegun) this.#begin();
    if (response.write(lines)) return undefined;
    held.holdReply(response.writableLength);
    return whenDrained(response, this.#limits).finally(() => held.holdReply(response.writableLength));
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
    setReaderLimits(response, this.#limits);
    replyHeaders['content-type'] = `${STREAM_TYPE}; charset=utf-8`;
    replyHeaders[STALL_HEADER] = this.#limits.stallMs;
    this.#call.beginReply(200);
  }
}
