import { type Agent, request as sendRequest } from 'node:http';
import { connect, type Socket } from 'node:net';

export interface HttpReply {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly text: string;
  /** The body as JSON. Not checked: a test asserts what it expects. */
  json(): unknown;
}

export interface HttpRequest {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Buffer;
  readonly signal?: AbortSignal;
  /** Keeps connections for the next requests. */
  readonly agent?: Agent;
}

/** One request, on a connection of its own unless an agent keeps some. */
export async function http(
  url: string,
  { method, headers, body, signal, agent }: HttpRequest = {},
): Promise<HttpReply> {
  return await new Promise((resolve, reject) => {
    const request = sendRequest(
      url,
      {
        agent: agent ?? false,
        method: method ?? (body === undefined ? 'GET' : 'POST'),
        headers: {
          ...headers,
          ...(body === undefined ? {} : { 'content-length': String(Buffer.byteLength(body)) }),
        },
        ...(signal === undefined ? {} : { signal }),
      },
      (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('error', reject);
        response.on('end', () => {
          const text = Buffer.concat(chunks).toString('utf8');
          resolve({
            status: response.statusCode ?? 0,
            headers: response.headers,
            text,
            json: () => JSON.parse(text),
          });
        });
      },
    );
    request.on('error', reject);
    request.end(body);
  });
}

/** A connection without HTTP of its own. */
export function connectTo(url: string): Socket {
  return connect(Number(new URL(url).port), '127.0.0.1');
}

/** Sends bytes as they are and returns all that comes back until the other side hangs up, in whatever way. */
export async function raw(url: string, bytes: string): Promise<string> {
  return await new Promise((resolve) => {
    const socket = connectTo(url);
    let text = '';
    socket.on('data', (chunk) => {
      text += chunk.toString('utf8');
    });
    socket.on('error', () => socket.destroy());
    socket.on('close', () => resolve(text));
    socket.write(bytes);
  });
}

/** Resolves when `holds` does, looked at every few milliseconds; rejects with its last answer after `timeoutMs`. */
export async function eventually<T>(
  look: () => Promise<T>,
  holds: (seen: T) => boolean,
  timeoutMs = 10_000,
): Promise<T> {
  const endMs = performance.now() + timeoutMs;
  for (;;) {
    const seen = await look();
    if (holds(seen)) return seen;
    if (performance.now() > endMs) throw new Error(`still ${JSON.stringify(seen)} after ${timeoutMs} ms`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
