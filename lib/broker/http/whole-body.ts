import type { IncomingMessage } from 'node:http';
import { BrokerError } from '../../errors.ts';
import { CallerGone } from './call.ts';

/**
 * The body as it was sent.
 *
 * @throws {BrokerError} REQUEST_TOO_LARGE. What is left is taken and thrown away: a caller that is cut off could not
 *   read its reply.
 * @throws {CallerGone}
 */
export function readWholeBody(request: IncomingMessage, maxBytes: number): Promise<Buffer> {
  const tooLarge = () => new BrokerError('REQUEST_TOO_LARGE', `The request is larger than ${maxBytes} bytes`);
  if (Number(request.headers['content-length'] ?? 0) > maxBytes) return Promise.reject(tooLarge());
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let bytes = 0;
    request.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes <= maxBytes) chunks.push(chunk);
      else {
        chunks.length = 0;
        reject(tooLarge());
      }
    });
    request.on('end', () => {
      const [first] = chunks;
      resolve(first !== undefined && chunks.length === 1 ? first : Buffer.concat(chunks));
    });
    request.on('error', () => reject(new CallerGone()));
  });
}
