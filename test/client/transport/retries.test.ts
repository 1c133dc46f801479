import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { expect, onTestFinished, test, vi } from 'vitest';
import { HttpTransport } from '../../../lib/client/transport/http-transport.ts';
import { holdClock } from '../../support/hold-clock.ts';
import { failure, StubBroker, startTcp, unusedPort } from '../../support/stub-broker.ts';
import { noKey, request } from './support/request.ts';

const ok = () => ({ json: { ok: true } });

test('tries again until the broker listens, with what is left of the time', async () => {
  vi.useFakeTimers({ toFake: ['performance'] });
  onTestFinished(() => void vi.useRealTimers());
  const port = await unusedPort();
  const seen: StubBroker['seen'][] = [];
  let lookups = 0;
  const transport = new HttpTransport(new URL(`http://broker.test:${port}`), noKey, async () => {
    lookups += 1;
    // A try is told what is left when it begins.
    vi.advanceTimersByTime(1_000);
    if (lookups === 3) {
      const broker = await StubBroker.start(ok, '127.0.0.1', port);
      onTestFinished(() => broker[Symbol.asyncDispose]());
      seen.push(broker.seen);
    }
    return [{ address: '127.0.0.1', family: 4 }];
  });

  await expect(transport.send(request)).resolves.toMatchObject({ status: 200 });

  expect(lookups).toBe(3);
  expect(seen[0]?.[0]?.headers['x-timeout-ms']).toBe('3000');
});

test('gives up as BROKER_UNREACHABLE, not applied, when nobody listens', async () => {
  const transport = new HttpTransport(new URL(`http://127.0.0.1:${await unusedPort()}`), noKey);

  await expect(transport.send(request)).rejects.toMatchObject({
    code: 'BROKER_UNREACHABLE',
    outcome: 'not_applied',
    retryable: true,
    message: 'The broker could not be reached (ECONNREFUSED)',
  });
});

test('gives up at once when the time does not suffice for another try', async () => {
  holdClock();
  let lookups = 0;
  const url = new URL(`http://broker.test:${await unusedPort()}`);
  const transport = new HttpTransport(url, noKey, async () => {
    lookups += 1;
    return [{ address: '127.0.0.1', family: 4 }];
  });

  await expect(transport.send({ ...request, timeoutMs: 20 })).rejects.toMatchObject({
    code: 'BROKER_UNREACHABLE',
  });
  expect(lookups).toBe(1);
});

test('does not try again when the broker does not speak TLS', async () => {
  await using broker = await StubBroker.start(ok);
  const url = new URL(`https://127.0.0.1:${broker.port}`);

  await expect(new HttpTransport(url, noKey).send(request)).rejects.toMatchObject({
    code: 'BROKER_UNREACHABLE',
    outcome: 'not_applied',
  });
  expect(broker.connections).toBe(1);
});

test('goes to another address when a broker is draining, on a kept connection too', async () => {
  await using draining = await StubBroker.start(ok, '127.0.0.1');
  await using other = await StubBroker.start(ok, '127.0.0.2', draining.port);
  let addresses = [{ address: '127.0.0.1', family: 4 }];
  const url = new URL(`http://broker.test:${draining.port}`);
  const transport = new HttpTransport(url, noKey, async () => addresses);
  await transport.send(request);

  draining.answer = () => failure(503, 'DRAINING', { retryable: true });
  addresses = [
    { address: '127.0.0.1', family: 4 },
    { address: '127.0.0.2', family: 4 },
  ];

  await expect(transport.send(request)).resolves.toMatchObject({ status: 200 });
  await expect(transport.send(request)).resolves.toMatchObject({ status: 200 });
  expect([draining.seen.length, draining.connections, other.seen.length]).toEqual([2, 1, 2]);
});

test('returns the refusal of a draining broker when there is no other', async () => {
  await using broker = await StubBroker.start(() => failure(503, 'DRAINING', { retryable: true }));

  const reply = await new HttpTransport(broker.url, noKey).send(request);

  expect(reply.status).toBe(503);
  expect(JSON.parse(reply.body)).toMatchObject({ error: { code: 'DRAINING' } });
  expect(broker.seen.length).toBe(6);
});

test('does not repeat what a draining broker may have done', async () => {
  const cutOff = { outcome: 'unknown', retryable: false };
  await using broker = await StubBroker.start(() => failure(503, 'DRAINING', cutOff));

  await expect(new HttpTransport(broker.url, noKey).send(request)).resolves.toMatchObject({ status: 503 });
  expect(broker.seen.length).toBe(1);
});

test.each([429, 502, 503, 504])('does not repeat a request that was answered with %i', async (status) => {
  await using broker = await StubBroker.start(() => failure(status, 'POOL_TIMEOUT', { retryable: true }));

  await expect(new HttpTransport(broker.url, noKey).send(request)).resolves.toMatchObject({ status });
  expect(broker.seen.length).toBe(1);
});

test('does not repeat a request whose connection broke after it was sent: its outcome is unknown', async () => {
  let connections = 0;
  await using broker = await startTcp((socket) => {
    connections += 1;
    socket.once('data', () => socket.resetAndDestroy());
  });

  await expect(new HttpTransport(broker.url, noKey).send(request)).rejects.toMatchObject({
    code: 'BROKER_UNREACHABLE',
    outcome: 'unknown',
    retryable: false,
  });
  expect(connections).toBe(1);
});

test('does not repeat a request whose kept connection broke after it was sent', async () => {
  await using broker = await StubBroker.start(ok);
  const transport = new HttpTransport(broker.url, noKey);
  await transport.send(request);

  broker.answer = () => (response) => response.socket?.resetAndDestroy();

  await expect(transport.send(request)).rejects.toMatchObject({ outcome: 'unknown' });
  expect([broker.seen.length, broker.connections]).toEqual([2, 1]);
});

test('uses one kept connection for request after request', async () => {
  await using broker = await StubBroker.start(ok);
  const transport = new HttpTransport(broker.url, noKey);

  for (let n = 0; n < 5; n += 1) await transport.send(request);

  expect(broker.connections).toBe(1);
});

test('opens a new connection when the broker hung up the kept one while the function was frozen', async () => {
  // The broker lives in a thread of its own: it goes on while this one stands still.
  const broker = new Worker(
    `const { createServer } = require('node:http');
     const { parentPort } = require('node:worker_threads');
     let connections = 0;
     const server = createServer((request, response) => {
       response.setHeader('content-type', 'application/json');
       response.end(JSON.stringify({ connections }));
     });
     server.on('connection', () => { connections += 1; });
     server.listen(0, '127.0.0.1', () => parentPort.postMessage(server.address().port));
     setInterval(() => server.closeIdleConnections(), 20);`,
    { eval: true },
  );
  onTestFinished(async () => void (await broker.terminate()));
  const [port] = await once(broker, 'message');
  const transport = new HttpTransport(new URL(`http://127.0.0.1:${port}`), noKey);
  for (let connections = 1; connections <= 3; connections += 1) {
    await expect(transport.send(request)).resolves.toMatchObject({ body: JSON.stringify({ connections }) });
    freeze(200);
  }
});

function freeze(forMs: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, forMs);
}
