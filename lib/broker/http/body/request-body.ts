import { BrokerError } from '../../../errors.ts';
import { type Call, CallerGone } from '../call.ts';

/** Reads the bodies of requests, and knows which are incomplete. */
export class BodyReader {
  readonly #maxBytes: number;
  /** Incomplete bodies, each with the function that refuses its call. */
  readonly #unfinished = new Map<Call, (failure: unknown) => void>();

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /**
   * The body as it was sent.
   *
   * @throws {BrokerError} REQUEST_TOO_LARGE, OVERLOADED, DRAINING. The rest of the body is read and discarded: a caller
   *   that is disconnected while it sends could not read its reply.
   * @throws {CallerGone}
   */
  async read(call: Call): Promise<Buffer> {
    try {
      const chunks = await this.#chunksOf(call);
      const [first] = chunks;
      const body = first !== undefined && chunks.length === 1 ? first : Buffer.concat(chunks);
      // The request's listeners would keep them as long as the call lasts.
      chunks.length = 0;
      return body;
    } finally {
      this.#unfinished.delete(call);
    }
  }

  /** Refuses calls whose bodies are incomplete. */
  refuseUnfinished(isRefused: (call: Call) => boolean): void {
    for (const [call, refuse] of this.#unfinished) {
      if (isRefused(call)) refuse(new BrokerError('DRAINING', 'The broker is shutting down'));
    }
  }

  #chunksOf(call: Call): Promise<Buffer[]> {
    const { request } = call;
    return new Promise((resolve, reject) => {
      const tooLarge = () =>
        new BrokerError('REQUEST_TOO_LARGE', `The request is larger than ${this.#maxBytes} bytes`);
      // Admin calls are small, and may end the overload.
      const hold = (bodyBytes: number) => call.route?.access !== 'admin' && call.held.holdBody(bodyBytes);
      const length = Number(request.headers['content-length'] ?? 0);
      if (length > this.#maxBytes) {
        reject(tooLarge());
        return;
      }
      hold(length);
      if (request.headers.expect !== undefined) call.response.writeContinue();
      // Already destroyed: neither 'end' nor 'error' will come.
      if (request.destroyed) {
        reject(new CallerGone());
        return;
      }
      const chunks: Buffer[] = [];
      let bytes = 0;
      const refuse = (failure: unknown) => {
        chunks.length = 0;
        request.removeAllListeners('data').resume();
        reject(failure);
      };
      this.#unfinished.set(call, refuse);
      request.on('data', (chunk: Buffer) => {
        bytes += chunk.length;
        if (bytes > this.#maxBytes) {
          refuse(tooLarge());
          return;
        }
        try {
          if (bytes > length) hold(bytes);
          chunks.push(chunk);
        } catch (failure) {
          refuse(failure);
        }
      });
      request.on('end', () => resolve(chunks));
      request.on('error', () => reject(new CallerGone()));
    });
  }
}
