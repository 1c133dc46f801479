import { expect, test } from 'vitest';
import { fixedKey } from '../../../lib/client/transport/caller-key.ts';
import { HttpTransport } from '../../../lib/client/transport/http-transport.ts';
import { StubBroker } from '../../support/stub-broker.ts';

const noKey = fixedKey(undefined);
const request = { method: 'GET', path: '/readyz', timeoutMs: 5_000 } as const;
const ok = () => ({ json: {} });
const both = async () => ['127.0.0.1', '127.0.0.2'].map((address) => ({ address, family: 4 }));

test('an address that refuses is passed over for one that listens', async () => {
  await using broker = await StubBroker.start(ok);
  const url = new URL(`http://broker.test:${broker.port}`);

  for (let n = 0; n < 10; n += 1) {
    await expect(new HttpTransport(url, noKey, both).send(request)).resolves.toMatchObject({ status: 200 });
  }

  expect(broker.seen.length).toBe(10);
});

test('functions spread over the addresses of a name', async () => {
  await using one = await StubBroker.start(ok, '127.0.0.1');
  await using other = await StubBroker.start(ok, '127.0.0.2', one.port);
  const url = new URL(`http://broker.test:${one.port}`);

  for (let n = 0; n < 40; n += 1) await new HttpTransport(url, noKey, both).send(request);

  expect(Math.min(one.seen.length, other.seen.length)).toBeGreaterThan(4);
});

test('a path of the URL goes before the paths of the broker', async () => {
  await using broker = await StubBroker.start(ok);

  await new HttpTransport(new URL('/team/broker/', broker.url), noKey).send(request);

  expect(broker.seen[0]?.path).toBe('/team/broker/readyz');
});
