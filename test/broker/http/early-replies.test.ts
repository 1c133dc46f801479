import { once } from 'node:events';
import type { Socket } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startTestBroker, type TestBroker } from '../../support/broker.ts';
import { startTestDatabase } from '../../support/database/database.ts';
import { connectTo, eventually, http } from '../../support/http.ts';

const QUERY = '/v1/databases/default/query';

const database = await startTestDatabase();
let broker: TestBroker;
/** Its budget is taken by a body that does not come. */
let full: TestBroker;

beforeAll(async () => {
  const transactions = { maxOpen: 1 };
  broker = await startTestBroker(database, { databases: { default: { transactions } } });
  await broker.post('/v1/databases/default/transactions', {});
  full = await startTestBroker(database, {
    server: { bodyLimitBytes: 4_000_000, maxBufferedBytes: 18_300_000 },
  });
  const head = `POST ${QUERY} HTTP/1.1\r\nhost: 127.0.0.1\r\nauthorization: Bearer writer-key\r\n`;
  const type = 'content-type: application/json\r\n';
  connectTo(full.url).write(`${head}${type}content-length: 3900000\r\n\r\n{`);
  await eventually(
    async () => (await http(`${full.url}/metrics`)).text,
    (text) => /^broker_buffered_bytes 15600000$/m.test(text),
  );
});

afterAll(async () => {
  await broker.stop();
  await full.stop();
  await database.stop();
});

interface Refused {
  readonly status: number;
  readonly path: string;
  readonly key: string;
  readonly bytes: number;
  readonly isFull?: boolean;
}

const REFUSED: readonly Refused[] = [
  { status: 401, path: QUERY, key: 'wrong-key', bytes: 3_000_000 },
  { status: 404, path: '/nowhere', key: 'writer-key', bytes: 3_000_000 },
  { status: 413, path: QUERY, key: 'writer-key', bytes: 6_000_000 },
  { status: 429, path: '/v1/databases/default/transactions', key: 'writer-key', bytes: 3_000_000 },
  { status: 503, path: QUERY, key: 'writer-key', bytes: 3_900_000, isFull: true },
];

const PIECE = Buffer.alloc(65_536, ' ');

/** Sends a request, and reads nothing before the last byte is sent. */
async function sendWhole(socket: Socket, { path, key, bytes }: Refused, connection: string): Promise<void> {
  const head = [
    `POST ${path} HTTP/1.1`,
    'host: 127.0.0.1',
    `authorization: Bearer ${key}`,
    'content-type: application/json',
    `connection: ${connection}`,
    `content-length: ${bytes}`,
  ];
  socket.pause().write(`${head.join('\r\n')}\r\n\r\n{}`);
  // Meanwhile the broker may answer.
  await new Promise((resolve) => {
    setTimeout(resolve, 50);
  });
  for (let left = bytes - 2; left > 0; left -= PIECE.length) {
    if (!socket.write(PIECE.subarray(0, left))) await once(socket, 'drain');
  }
}

async function readUntil(socket: Socket, isWhole: (text: string) => boolean): Promise<string> {
  let text = '';
  for await (const chunk of socket) {
    text += String(chunk);
    if (isWhole(text)) break;
  }
  return text;
}

describe.each(REFUSED)('a sender that is answered $status', (refused) => {
  const { status, isFull = false } = refused;

  test('and asked for an end of the connection reads the reply, and then the end', async () => {
    const socket = connectTo((isFull ? full : broker).url);
    await sendWhole(socket, refused, 'close');
    const text = await readUntil(socket, () => false);
    expect(text).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
    expect(text).toMatch(/\r\nconnection: close\r\n/i);
    expect(JSON.parse(text.slice(text.indexOf('{')))).toMatchObject({ error: { outcome: 'not_applied' } });
  });

  test('and did not keeps its connection', async () => {
    const socket = connectTo((isFull ? full : broker).url);
    await sendWhole(socket, refused, 'keep-alive');
    socket.write('GET /healthz HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n');
    const text = await readUntil(socket, (soFar) => soFar.split('HTTP/1.1 ').length > 2);
    expect(text.split('HTTP/1.1 ').map((reply) => reply.slice(0, 3))).toEqual(['', String(status), '200']);
    socket.destroy();
  });
});

test('a sender that waits for 100 and is refused may send its body all the same', async () => {
  const socket = connectTo(full.url);
  const { path, key } = { path: QUERY, key: 'writer-key' };
  await sendWhole(socket, { status: 503, path, key, bytes: 3_900_000 }, 'keep-alive\r\nexpect: 100-continue');
  expect(await readUntil(socket, () => false)).toMatch(/^HTTP\/1.1 503 /);
});
