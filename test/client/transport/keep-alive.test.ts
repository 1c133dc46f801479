import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { fixedKey } from '../../../lib/client/transport/caller-key.ts';
import { HttpTransport } from '../../../lib/client/transport/http-transport.ts';
import { StubBroker } from '../../support/stub-broker.ts';

const request = { method: 'GET', path: '/readyz', timeoutMs: 5_000 } as const;

// Only the clock moves, as for a function that was frozen: its timers have not run.
beforeEach(() => void vi.useFakeTimers({ toFake: ['Date'] }));
afterEach(() => void vi.useRealTimers());

test('a connection that lay idle for 30 s by the clock is not used again', async () => {
  await using broker = await StubBroker.start(() => ({ json: {} }));
  const transport = new HttpTransport(broker.url, fixedKey(undefined));

  await transport.send(request);
  vi.setSystemTime(Date.now() + 29_000);
  await transport.send(request);
  expect(broker.connections).toBe(1);

  vi.setSystemTime(Date.now() + 30_000);
  await transport.send(request);
  expect(broker.connections).toBe(2);
});

test('a connection in steady use is replaced after a minute', async () => {
  await using broker = await StubBroker.start(() => ({ json: {} }));
  const transport = new HttpTransport(broker.url, fixedKey(undefined));

  for (let seconds = 0; seconds <= 60; seconds += 20) {
    await transport.send(request);
    vi.setSystemTime(Date.now() + 20_000);
  }

  expect(broker.connections).toBe(2);
});
