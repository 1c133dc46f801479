import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import { expect, test, vi } from 'vitest';
import { fixedKey } from '../../../lib/client/transport/caller-key.ts';
import { HttpTransport } from '../../../lib/client/transport/http-transport.ts';
import { CLIENT_VERDICT_WAIT_MS } from '../../../lib/protocol/verdict-times.ts';
import { holdClock } from '../../support/hold-clock.ts';
import { failure, StubBroker } from '../../support/stub-broker.ts';

const noKey = fixedKey(undefined);
const request = { method: 'POST', path: '/v1/databases/default/query', body: '{}', timeoutMs: 100 } as const;

/** A broker that takes requests and never answers; each request's hang-up is awaited by `hungUp`. */
async function startSilent() {
  const responses: ServerResponse[] = [];
  const broker = await StubBroker.start(() => (response) => void responses.push(response));
  const arrived = once(broker.server, 'request');
  const hungUp = arrived.then(async ([, response]) => await once(response, 'close'));
  return { broker, arrived, hungUp };
}

test('rejects with DEADLINE_EXCEEDED, outcome unknown, and hangs up when no answer comes', async () => {
  holdClock();
  const { broker, arrived, hungUp } = await startSilent();
  await using _ = broker;

  const rejected = expect(new HttpTransport(broker.url, noKey).send(request)).rejects.toMatchObject({
    code: 'DEADLINE_EXCEEDED',
    outcome: 'unknown',
    retryable: false,
    message: 'The broker did not answer within 100 ms',
  });

  await arrived;
  await vi.advanceTimersByTimeAsync(request.timeoutMs + CLIENT_VERDICT_WAIT_MS);

  await rejected;
  await hungUp;
});

test("takes the broker's own verdict when it comes shortly after the deadline", async () => {
  await using broker = await StubBroker.start(({ headers }) => (response) => {
    const body = JSON.stringify(failure(504, 'DEADLINE_EXCEEDED').json);
    setTimeout(() => {
      response.writeHead(504, { 'content-type': 'application/json' });
      response.end(body);
    }, Number(headers['x-timeout-ms']) + 100);
  });

  await expect(new HttpTransport(broker.url, noKey).send(request)).resolves.toMatchObject({ status: 504 });
});

test('rejects with DEADLINE_EXCEEDED, outcome not_applied, when no connection came about in time', async () => {
  const neverResolved = new Promise<never>(() => {});
  const transport = new HttpTransport(new URL('http://broker.test'), noKey, () => neverResolved);

  await expect(transport.send(request)).rejects.toMatchObject({
    code: 'DEADLINE_EXCEEDED',
    outcome: 'not_applied',
    retryable: true,
  });
});

test("rejects with the signal's reason and hangs up when the caller aborts a running request", async () => {
  const { broker, arrived, hungUp } = await startSilent();
  await using _ = broker;
  const controller = new AbortController();
  const reason = new Error('the user left');
  const transport = new HttpTransport(broker.url, noKey);

  const rejected = expect(transport.send({ ...request, signal: controller.signal })).rejects.toBe(reason);
  await arrived;
  controller.abort(reason);

  await rejected;
  await hungUp;
});

test('sends nothing when the signal is aborted beforehand', async () => {
  await using broker = await StubBroker.start(() => ({ json: {} }));
  const reason = new Error('too late');

  const sending = new HttpTransport(broker.url, noKey).send({
    ...request,
    signal: AbortSignal.abort(reason),
  });

  await expect(sending).rejects.toBe(reason);
  expect(broker.connections).toBe(0);
});

test("rejects with the signal's reason when the caller aborts between two tries", async () => {
  const controller = new AbortController();
  const reason = new Error('the user left');
  const transport = new HttpTransport(new URL('http://broker.test:9'), noKey, async () => {
    queueMicrotask(() => setImmediate(() => controller.abort(reason)));
    throw Object.assign(new Error('no such name'), { code: 'ENOTFOUND' });
  });

  await expect(transport.send({ ...request, timeoutMs: 5_000, signal: controller.signal })).rejects.toBe(
    reason,
  );
});

test('sends nothing when the caller aborts while the key is read', async () => {
  await using broker = await StubBroker.start(() => ({ json: {} }));
  const controller = new AbortController();
  const reason = new Error('the user left');
  const read = async () => {
    controller.abort(reason);
    return 'key';
  };
  const transport = new HttpTransport(broker.url, { read, replace: async () => undefined });

  await expect(transport.send({ ...request, signal: controller.signal })).rejects.toBe(reason);
  expect(broker.connections).toBe(0);
});
