import type { LineReader } from '../mysql/row-stream.ts';
import { STREAM_TYPE } from '../protocol/stream.ts';
import type { Call } from './http/call.ts';
import { cutOffStalledReader, whenTaken } from './http/stalled-readers.ts';

/** A reply of lines of JSON. As long as none is written, the request can still be answered otherwise. */
export class StreamReply implements LineReader {
  readonly #call: Call;
  readonly #stallMs: number;

  /** A caller who takes nothing for `stallMs` is cut off. */
  constructor(call: Call, stallMs: number) {
    this.#call = call;
    this.#stallMs = stallMs;
  }

  get hasBegun(): boolean {
    return this.#call.isAnswered;
  }

  write(lines: Uint8Array): Promise<void> | undefined {
    const { response } = this.#call;
    // Whoever waits for the caller has heard of it.
    if (response.destroyed) return undefined;
    if (!this.hasBegun) this.#begin();
    return response.write(lines) ? undefined : whenTaken(response, this.#stallMs);
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
    cutOffStalledReader(response, this.#stallMs);
    response.writeHead(200, { ...replyHeaders, 'content-type': `${STREAM_TYPE}; charset=utf-8` });
  }
}
