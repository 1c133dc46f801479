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
export async function readWholeBody(request: IncomingMessage, maxBytes: number): Promise<Buffer> {
  const chunks = await chunksOf(request, maxBytes);
  const [first] = chunks;
  const body = first !== undefined && chunks.length === 1 ? first : Buffer.concat(chunks);
  // The request, whose listeners hold them, lasts as long as its call.
  chunks.length = 0;
  return body;
}

function chunksOf(request: IncomingMessage, maxBytes: number): Promise<Buffer[]> {
  return new Promise((resolve, reject) => {
    const tooLarge = () =>
      reject(new BrokerError('REQUEST_TOO_LARGE', `The request is larger than ${maxBytes} bytes`));
    if (Number(request.headers['content-length'] ?? 0) > maxBytes) {
      tooLarge();
      return;
    }
    // It will tell nothing more.
    if (request.destroyed) {
      reject(new CallerGone());
      return;
    }
    const chunks: Buffer[] = [];
    let bytes = 0;
    request.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes <= maxBytes) chunks.push(chunk);
      else {
        chunks.length = 0;
        request.removeAllListeners('data').resume();
        tooLarge();
      }
    });
    request.on('end', () => resolve(chunks));
    request.on('error', () => reject(new CallerGone()));
  });
}
