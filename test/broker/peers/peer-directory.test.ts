import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { PeerDirectory } from '../../../lib/broker/peers/peer-directory.ts';

/** What DNS has for `brokers`, and the names of those that listen there; undefined: something else than a broker. */
let dns: string[] | undefined;
let listening: Map<string, string | undefined>;
let asked: string[];
let troubles: string[];
let directory: PeerDirectory;

beforeEach(() => {
  vi.useFakeTimers();
  dns = ['10.0.0.1', '10.0.0.2'];
  listening = new Map([
    ['10.0.0.1', 'first'],
    ['10.0.0.2', 'second'],
  ]);
  asked = [];
  troubles = [];
  directory = new PeerDirectory({
    endpoints: [{ host: 'brokers', port: 8080 }],
    resolve: async () => {
      if (dns === undefined) throw new Error('no answer');
      return dns;
    },
    probe: async ({ ip }) => {
      asked.push(ip);
      if (!listening.has(ip)) throw new Error('nobody there');
      return listening.get(ip);
    },
    onFailure: (place) => troubles.push(place),
  });
});

afterEach(() => {
  directory.stop();
  vi.useRealTimers();
});

/** What a find comes to, if it does within this time. */
async function findWithin(name: string, durationMs: number): Promise<string | undefined> {
  let answer: string | undefined = 'still looking';
  void directory.find(name).then((address) => {
    answer = address?.ip;
  });
  await vi.advanceTimersByTimeAsync(durationMs);
  return answer;
}

test('finds a broker by its name among all addresses of a host', async () => {
  directory.start();
  await vi.advanceTimersByTimeAsync(1);
  expect(await directory.find('second')).toEqual({ ip: '10.0.0.2', port: 8080, host: 'brokers' });
  expect(asked).toEqual(['10.0.0.1', '10.0.0.2']);
});

test('finds a new broker as soon as DNS tells of it', async () => {
  directory.start();
  expect(await findWithin('third', 5_500)).toBe('still looking');
  dns?.push('10.0.0.3');
  listening.set('10.0.0.3', 'third');
  expect(await findWithin('third', 1_000)).toBe('10.0.0.3');
});

test('gives a name up that nobody has within 10 s, and looks once a second for however many', async () => {
  directory.start();
  await vi.advanceTimersByTimeAsync(1_000);
  asked = [];
  const finds = Array.from({ length: 500 }, async (_, index) => await directory.find(`unknown-${index}`));
  let found: unknown;
  void Promise.all(finds).then((addresses) => {
    found = new Set(addresses);
  });
  await vi.advanceTimersByTimeAsync(9_500);
  expect(found).toBe(undefined);
  await vi.advanceTimersByTimeAsync(2_000);
  expect(found).toEqual(new Set([undefined]));
  expect(asked.length).toBeLessThanOrEqual(2 * 12);
});

test('knows a broker that DNS has dropped as long as it answers, and a minute more', async () => {
  directory.start();
  await vi.advanceTimersByTimeAsync(1);
  dns = ['10.0.0.1'];
  await vi.advanceTimersByTimeAsync(300_000);
  expect((await directory.find('second'))?.ip).toBe('10.0.0.2');
  listening.delete('10.0.0.2');
  await vi.advanceTimersByTimeAsync(50_000);
  expect((await directory.find('second'))?.ip).toBe('10.0.0.2');
  await vi.advanceTimersByTimeAsync(20_000);
  asked = [];
  await vi.advanceTimersByTimeAsync(20_000);
  expect(new Set(asked)).toEqual(new Set(['10.0.0.1']));
});

test.each([['third'], [undefined]])('a broker whose address answers as %s is gone at once', async (name) => {
  directory.start();
  await vi.advanceTimersByTimeAsync(1);
  dns = ['10.0.0.1'];
  listening.set('10.0.0.2', name);
  await vi.advanceTimersByTimeAsync(5_000);
  expect(await findWithin('second', 0)).toBe(undefined);
  if (name !== undefined) expect((await directory.find(name))?.ip).toBe('10.0.0.2');
});

test('a look-up that fails costs no broker that is known, and is told once until it works again', async () => {
  directory.start();
  await vi.advanceTimersByTimeAsync(1);
  dns = undefined;
  listening.delete('10.0.0.1');
  await vi.advanceTimersByTimeAsync(20_000);
  expect((await directory.find('second'))?.ip).toBe('10.0.0.2');
  expect(troubles).toEqual(['brokers', '10.0.0.1:8080']);
  dns = ['10.0.0.2'];
  await vi.advanceTimersByTimeAsync(5_000);
  dns = undefined;
  await vi.advanceTimersByTimeAsync(5_000);
  expect(troubles).toEqual(['brokers', '10.0.0.1:8080', 'brokers']);
});
