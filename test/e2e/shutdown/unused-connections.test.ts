import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { afterAll, expect, test } from 'vitest';
import { settingsFor } from '../../support/broker.ts';
import { type BrokerProcess, startBrokerProcess } from '../../support/broker-process.ts';
import { TestAuthority } from '../../support/certificates.ts';
import { startTestDatabase } from '../../support/database/database.ts';

const authority = new TestAuthority();
const database = await startTestDatabase();
afterAll(async () => {
  await database.stop();
  authority[Symbol.dispose]();
});

const QUERY =
  'POST /v1/databases/default/query HTTP/1.1\r\nhost: 127.0.0.1\r\nauthorization: Bearer writer-key\r\n';
const GET = 'GET /healthz HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n';
const HALF_A_CLIENT_HELLO = Buffer.from([0x16, 0x03, 0x01, 0x02, 0x00, 0x01, 0x00, 0x01]);

type Opener = (port: number) => Promise<Socket>;

/** Connects and sends this; with `answers`, waits for the first bytes of the reply. */
const sending =
  (text: string | Buffer, answers = false): Opener =>
  async (port) =>
    await use(connect({ port, host: '127.0.0.1', allowHalfOpen: true }), 'connect', text, answers);

const sendingOverTls =
  (text: string, answers = false): Opener =>
  async (port) =>
    await use(
      connectTls({ port, host: '127.0.0.1', ca: readFileSync(authority.ca) }),
      'secureConnect',
      text,
      answers,
    );

async function use(socket: Socket, event: string, text: string | Buffer, answers: boolean): Promise<Socket> {
  socket.on('error', () => socket.destroy());
  await once(socket, event);
  if (text.length > 0) socket.write(text);
  if (answers) await once(socket, 'data');
  return socket;
}

/** Starts a broker that drains for long, opens connections to it, and returns how long its exit takes after SIGTERM. */
async function exitMs(openers: readonly Opener[], server: object = {}): Promise<number> {
  const broker: BrokerProcess = await startBrokerProcess(
    settingsFor(database, { server: { drainDelayMs: 300, ...server } }),
  );
  const port = Number(new URL(broker.url).port);
  const sockets = await Promise.all(openers.map((open) => open(port)));
  const sinceMs = performance.now();
  broker.child.kill('SIGTERM');
  const code = await broker.exited;
  const tookMs = performance.now() - sinceMs;
  for (const socket of sockets) socket.destroy();
  await broker.stop();
  expect(code).toBe(0);
  return tookMs;
}

test('no connection without a request holds up the end of a broker', { timeout: 60_000 }, async () => {
  const body = 'content-type: application/json\r\ncontent-length: 100\r\n\r\n{"sql": "SEL';
  expect(
    await exitMs([
      sending(''),
      sending('GET /heal'),
      sending('GET /healthz HTTP/1.1\r\nhost: 127.0.0.1\r\n'),
      sending(GET, true),
      sending(`${GET}GET /heal`, true),
      sending('\r\n\r\n'),
      sending(`${QUERY}${body}`),
      sending(`${QUERY}expect: 100-continue\r\n${body}`),
      sending(`${QUERY}content-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n5\r\n{"sql`),
    ]),
  ).toBeLessThan(5_000);
});

test('nor does one with half a TLS handshake, or over TLS', { timeout: 60_000 }, async () => {
  const { cert, key } = authority.issue();
  const server = { tls: { cert, key } };
  expect(
    await exitMs(
      [
        sending(''),
        sending(HALF_A_CLIENT_HELLO),
        sendingOverTls(''),
        sendingOverTls('GET /heal'),
        sendingOverTls(GET, true),
      ],
      server,
    ),
  ).toBeLessThan(5_000);
});
