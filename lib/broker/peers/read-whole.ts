import type { FastifyRequest } from 'fastify';
import { BrokerError } from '../../errors.ts';

/** The body as it was sent. @throws {BrokerError} REQUEST_TOO_LARGE. */
export async function readWhole({ raw, routeOptions: { bodyLimit } }: FastifyRequest): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  // What is left must not be cut off: the caller could not read its reply.
  for await (const chunk of raw.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > bodyLimit) break;
    chunks.push(chunk);
  }
  if (bytes > bodyLimit) {
    raw.resume();
    throw new BrokerError('REQUEST_TOO_LARGE', `The request is larger than ${bodyLimit} bytes`);
  }
  return Buffer.concat(chunks);
}
