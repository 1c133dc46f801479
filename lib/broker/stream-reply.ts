import type { FastifyReply } from 'fastify';
import type { LineReader } from '../mysql/row-stream.ts';
import { STREAM_TYPE } from '../protocol/stream.ts';
import { cutOffStalledReader, whenTaken } from './stalled-readers.ts';

/** A reply of lines of JSON. As long as none is written, the request can still be answered otherwise. */
export class StreamReply implements LineReader {
  readonly #reply: FastifyReply;
  readonly #stallMs: number;

  /** A caller who takes nothing for `stallMs` is cut off. */
  constructor(reply: FastifyReply, stallMs: number) {
    this.#reply = reply;
    this.#stallMs = stallMs;
  }

  get hasBegun(): boolean {
    return this.#reply.sent;
  }

  write(lines: Uint8Array): Promise<void> | undefined {
    const { raw } = this.#reply;
    // Whoever waits for the caller has heard of it.
    if (raw.destroyed) return undefined;
    if (!this.hasBegun) this.#begin();
    return raw.write(lines) ? undefined : whenTaken(raw, this.#stallMs);
  }

  /** Writes the last line. */
  end(line: object): void {
    const { raw } = this.#reply;
    if (!raw.destroyed) raw.end(`${JSON.stringify(line)}\n`);
  }

  #begin(): void {
    const { raw } = this.#reply;
    this.#reply.hijack();
    cutOffStalledReader(raw, this.#stallMs);
    for (const [name, value] of Object.entries(this.#reply.getHeaders())) {
      if (value !== undefined) raw.setHeader(name, value);
    }
    raw.setHeader('content-type', `${STREAM_TYPE}; charset=utf-8`);
  }
}
