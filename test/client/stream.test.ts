import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { type ConnectOptions, connect } from '../../lib/index.ts';
import { failure, StubBroker } from '../support/stub-broker.ts';
import { COLUMNS, columns, end, rows, streaming, streamOf, toText } from './support/stream-stub.ts';

function clientOf(broker: StubBroker, options: Partial<ConnectOptions<'object'>> = {}) {
  return connect({ url: broker.url.href, key: 'k', timeoutMs: 5_000, ...options });
}

async function takeAll<T>(stream: AsyncIterable<T>): Promise<T[]> {
  const taken: T[] = [];
  for await (const row of stream) taken.push(row);
  return taken;
}

/** A stream that goes on by hand: `response` comes when it was asked for. */
async function startOpenStream(...lines: object[]) {
  let opened: (response: ServerResponse) => void = () => {};
  const response = new Promise<ServerResponse>((resolve) => {
    opened = resolve;
  });
  const answer = streaming((stream) => {
    stream.write(toText(lines));
    opened(stream);
  });
  const broker = await StubBroker.start(() => answer);
  return { broker, response, hungUp: response.then(async (stream) => await once(stream, 'close')) };
}

describe('stream()', () => {
  test('yields the rows of all lines, decoded', async () => {
    await using broker = await StubBroker.start(() =>
      streamOf(columns, rows('a', 'b'), rows(), rows(null), end),
    );

    const taken = await takeAll(clientOf(broker).stream('SELECT id, name FROM t', [1n], { maxRows: 9 }));

    expect(taken).toEqual([
      { id: 0, name: 'a' },
      { id: 1, name: 'b' },
      { id: 0, name: null },
    ]);
    const [seen] = broker.seen;
    expect(seen?.path).toBe('/v1/databases/default/query');
    expect(seen?.headers.accept).toBe('application/x-ndjson');
    expect(JSON.parse(seen?.body ?? '')).toEqual({
      sql: 'SELECT id, name FROM t',
      params: [{ $bigint: '1' }],
      maxRows: 9,
    });
  });

  test('puts lines and characters together that come in pieces', async () => {
    const bytes = Buffer.from(toText([columns, rows('grüße 😀', 'b'), end]));
    await using broker = await StubBroker.start(() =>
      streaming(async (response) => {
        for (const byte of bytes) {
          response.write(Buffer.of(byte));
          await new Promise(setImmediate);
        }
        response.end();
      }),
    );

    expect(await takeAll(clientOf(broker).stream('SELECT'))).toEqual([
      { id: 0, name: 'grüße 😀' },
      { id: 1, name: 'b' },
    ]);
  });

  test('takes an end without a newline', async () => {
    await using broker = await StubBroker.start(() =>
      streaming((response) => response.end(toText([columns, rows('a'), end]).trimEnd())),
    );

    expect(await takeAll(clientOf(broker).stream('SELECT'))).toHaveLength(1);
  });

  test('takes each set of a procedure by its own columns', async () => {
    const other = { columns: [{ ...COLUMNS[0], name: 'other' }] };
    await using broker = await StubBroker.start(() =>
      streamOf(columns, rows('a'), other, { rows: [['7']] }, end),
    );

    expect(await takeAll(clientOf(broker).stream('CALL p()'))).toEqual([{ id: 0, name: 'a' }, { other: 7 }]);
  });

  test('sends nothing before the first row is asked for', async () => {
    await using broker = await StubBroker.start(() => streamOf(columns, end));

    clientOf(broker).stream('SELECT');
    await sleep(20);

    expect(broker.connections).toBe(0);
  });

  test('uses the same connection again after the last row', async () => {
    await using broker = await StubBroker.start(() => streamOf(columns, rows('a'), end));
    const db = clientOf(broker);

    await takeAll(db.stream('SELECT'));
    await takeAll(db.stream('SELECT'));

    expect([broker.seen.length, broker.connections]).toEqual([2, 1]);
  });

  test('hangs up when the loop is left', async () => {
    const { broker, hungUp } = await startOpenStream(columns, rows('a', 'b'));
    await using _ = broker;

    for await (const row of clientOf(broker).stream('SELECT')) {
      expect(row).toEqual({ id: 0, name: 'a' });
      break;
    }

    await hungUp;
  });

  test('reads no faster than the loop takes the rows', async () => {
    const line = toText([rows('x'.repeat(1_000_000))]);
    const lines = 100;
    let written = 0;
    await using broker = await StubBroker.start(() =>
      streaming(async (response) => {
        response.write(toText([columns]));
        while (written < lines && !response.destroyed) {
          written += 1;
          if (!response.write(line)) await Promise.race([once(response, 'drain'), once(response, 'close')]);
        }
        response.end(toText([end]));
      }),
    );

    let taken = 0;
    for await (const _ of clientOf(broker).stream('SELECT')) {
      taken += 1;
      if (taken === 1) expect(await whenStill(() => written)).toBeLessThan(lines / 2);
    }

    expect(taken).toBe(lines);
  });
});

/** The number once it has not changed for a while. */
async function whenStill(read: () => number): Promise<number> {
  for (let before = -1, same = 0; ; before = read()) {
    same = read() === before ? same + 1 : 0;
    if (same === 10) return before;
    await sleep(20);
  }
}

describe('stream() rejects', () => {
  test('with the failure that ends the rows, after the rows before it', async () => {
    const { json } = failure(504, 'DEADLINE_EXCEEDED', { outcome: 'not_applied' });
    await using broker = await StubBroker.start(() => streamOf(columns, rows('a'), json as object));
    const taken: unknown[] = [];

    const reading = (async () => {
      for await (const row of clientOf(broker).stream('SELECT')) taken.push(row);
    })();

    await expect(reading).rejects.toMatchObject({ code: 'DEADLINE_EXCEEDED', requestId: 'r-1' });
    expect(taken).toHaveLength(1);
  });

  test('with the failure that comes instead of rows', async () => {
    await using broker = await StubBroker.start(() => failure(429, 'TOO_MANY_STREAMS', { retryable: true }));

    await expect(takeAll(clientOf(broker).stream('SELECT'))).rejects.toMatchObject({
      code: 'TOO_MANY_STREAMS',
      retryable: true,
    });
    expect(broker.seen).toHaveLength(1);
  });

  test.each<[string, (response: ServerResponse) => void]>([
    ['have no last line', (response) => response.end(toText([columns, rows('a')]))],
    ['break off within a line', (response) => response.end(toText([columns, rows('a')]).slice(0, -5))],
    ['hold a line of another form', (response) => response.end(toText([columns, { message: 'no' }]))],
    [
      'break off with the connection',
      (response) => response.write(toText([columns, rows('a')]), () => response.socket?.resetAndDestroy()),
    ],
  ])('with BROKER_UNREACHABLE when the rows %s', async (_, write) => {
    await using broker = await StubBroker.start(() => streaming(write));

    await expect(takeAll(clientOf(broker).stream('SELECT'))).rejects.toMatchObject({
      code: 'BROKER_UNREACHABLE',
      outcome: 'unknown',
    });
  });

  test('with BROKER_UNREACHABLE when nothing more comes for timeoutMs, and hangs up', async () => {
    const { broker, hungUp } = await startOpenStream(columns, rows('a'));
    await using _ = broker;

    await expect(takeAll(clientOf(broker).stream('SELECT', [], { timeoutMs: 100 }))).rejects.toMatchObject({
      code: 'BROKER_UNREACHABLE',
      message: 'The broker sent nothing for 100 ms',
    });
    await hungUp;
  });

  test('with DEADLINE_EXCEEDED when nothing comes at all', async () => {
    await using broker = await StubBroker.start(() => () => {});

    await expect(takeAll(clientOf(broker, { timeoutMs: 100 }).stream('SELECT'))).rejects.toMatchObject({
      code: 'DEADLINE_EXCEEDED',
    });
  });

  test('not because the loop takes longer than timeoutMs for a row', async () => {
    const { broker, response } = await startOpenStream(columns, rows('a'));
    await using _ = broker;

    for await (const _row of clientOf(broker).stream('SELECT', [], { timeoutMs: 200 })) {
      await sleep(300);
      (await response).end(toText([end]));
    }
  });

  test("with the signal's reason when it is aborted, and hangs up", async () => {
    const { broker, hungUp } = await startOpenStream(columns, rows('a'));
    await using _ = broker;
    const controller = new AbortController();
    const reason = new Error('the user left');

    const reading = (async () => {
      const stream = clientOf(broker).stream('SELECT', [], { signal: controller.signal });
      for await (const _row of stream) setImmediate(() => controller.abort(reason));
    })();

    await expect(reading).rejects.toBe(reason);
    await hungUp;
  });
});
