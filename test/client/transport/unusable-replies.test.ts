import { once } from 'node:events';
import { expect, test } from 'vitest';
import { HttpTransport } from '../../../lib/client/transport/http-transport.ts';
import { type Answer, StubBroker, startTcp } from '../../support/stub-broker.ts';
import { noKey, request } from './support/request.ts';

async function send(answer: Answer) {
  await using broker = await StubBroker.start(() => answer);
  return await new HttpTransport(broker.url, noKey).send(request);
}

test("a proxy's error page is BROKER_UNREACHABLE with its status and first words, outcome unknown", async () => {
  const page = `<html><h1>502 Bad Gateway</h1>${'x'.repeat(1_000)}</html>`;

  await expect(
    send({ status: 502, headers: { 'content-type': 'text/html' }, json: page }),
  ).rejects.toMatchObject({
    code: 'BROKER_UNREACHABLE',
    outcome: 'unknown',
    details: { status: 502, body: page.slice(0, 200) },
    requestId: 'made-by-the-broker',
  });
});

test.each([
  [
    'shorter than its length',
    'HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 99\r\n\r\n{"rows"',
  ],
  [
    'cut off between chunks',
    'HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n2\r\n{"\r\n',
  ],
  ['without an end that can be told', 'HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n\r\n{}'],
  ['that is no HTTP', 'hello'],
  ['that never begins', ''],
])('a reply %s is BROKER_UNREACHABLE, outcome unknown', async (_, text) => {
  await using broker = await startTcp((socket) => socket.once('data', () => socket.end(text)));

  await expect(new HttpTransport(broker.url, noKey).send(request)).rejects.toMatchObject({
    code: 'BROKER_UNREACHABLE',
    outcome: 'unknown',
  });
});

test('a reply beyond 64 MB is not read to its end', async () => {
  const chunk = Buffer.alloc(1024 * 1024, ' ');
  await using broker = await StubBroker.start(() => (response) => {
    response.writeHead(200, { 'content-type': 'application/json' });
    const write = () => {
      while (!response.destroyed && response.write(chunk));
    };
    response.on('drain', write);
    write();
  });
  const hungUp = once(broker.server, 'request').then(async ([, response]) => await once(response, 'close'));

  const unhurried = { ...request, timeoutMs: 30_000 };
  await expect(new HttpTransport(broker.url, noKey).send(unhurried)).rejects.toMatchObject({
    code: 'RESULT_TOO_LARGE',
    outcome: 'unknown',
    limit: { name: 'replyBytes', max: 64 * 1024 * 1024 },
  });
  await hungUp;
});
