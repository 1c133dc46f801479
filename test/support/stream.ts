import { type IncomingMessage, request as sendRequest } from 'node:http';
import { createInterface } from 'node:readline';
import { StreamLine } from '../../lib/protocol/stream.ts';

/** A reply that is read as it comes. */
export interface OpenStream {
  readonly response: IncomingMessage;
  /** The next line, checked; undefined at the end. Rejects if the reply is cut off. */
  next(): Promise<StreamLine | undefined>;
  /** All lines from here on. */
  rest(): Promise<StreamLine[]>;
  hangUp(): void;
}

/** Asks for a stream. Resolves when the reply begins, whatever it is. */
export async function openStream(
  url: string,
  headers: Readonly<Record<string, string>>,
  body: object,
): Promise<OpenStream> {
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    const request = sendRequest(url, {
      agent: false,
      method: 'POST',
      headers: { ...headers, accept: 'application/x-ndjson' },
    });
    request.on('response', resolve);
    request.on('error', reject);
    request.end(JSON.stringify(body));
  });
  const cutOff = new Promise<never>((_, reject) => response.once('error', reject));
  cutOff.catch(() => undefined);
  const lines = createInterface({ input: response })[Symbol.asyncIterator]();
  const next = async () => {
    const { done, value } = await Promise.race([lines.next(), cutOff]);
    return done === true ? undefined : StreamLine.parse(JSON.parse(value));
  };
  return {
    response,
    next,
    rest: async () => {
      const rest: StreamLine[] = [];
      for (let line = await next(); line !== undefined; line = await next()) rest.push(line);
      return rest;
    },
    hangUp: () => response.destroy(),
  };
}

/** The rows of all lines, in order. */
export function rowsOf(lines: readonly StreamLine[]): unknown[][] {
  return lines.flatMap((line) => ('rows' in line ? line.rows : []));
}
