import type { IncomingMessage } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { beforeAll, describe, expect, test } from 'vitest';
import { connect } from '../../../lib/index.ts';
import { connectTo, eventually } from '../../support/http.ts';
import { createNumbers } from '../../support/numbers.ts';
import { runningStatements, untilNoneRuns } from '../../support/running-statements.ts';
import { openStream } from '../../support/stream.ts';
import { useBroker } from '../../support/use-broker.ts';

const STALL_MS = 1_000;

const { database, broker } = await useBroker({
  databases: {
    default: { limits: { streamStallMs: STALL_MS } },
    patient: { limits: { streamStallMs: 3_000 } },
    large: { limits: { maxResultBytes: 60_000_000, queryTimeoutMs: 30_000 } },
  },
});

beforeAll(async () => {
  await createNumbers(database);
});

/** Rows of 1 KB, endless for any test. */
const ENDLESS = "SELECT a.seq, REPEAT('x', 1000) AS text FROM numbers a, numbers b";

const ROWS = 30_000;
const MANY = `${ENDLESS} LIMIT ${ROWS}`;

const client = connect({ url: broker.url, key: broker.keys.writer, timeoutMs: 5_000 });

/** Takes rows so slowly for so long that the broker is told nothing of what is taken for several times STALL_MS; then the rest. */
async function takeSlowly(rows: AsyncIterable<object>, durationMs: number): Promise<number> {
  const sinceMs = performance.now();
  let taken = 0;
  for await (const _ of rows) {
    taken += 1;
    if (performance.now() - sinceMs < durationMs) await sleep(20);
  }
  return taken;
}

const lastLine = (id: string) =>
  broker.logs.find((line) => line.includes(`"${id}"`) && line.includes('"msg":"request"'));

describe('a stream goes on', { timeout: 60_000 }, () => {
  test('while the loop of its client does slow work for each row', async () => {
    expect(await takeSlowly(client.stream(MANY), 10 * STALL_MS)).toBe(ROWS);
  });

  test('while such a loop holds up the event loop', async () => {
    const sinceMs = performance.now();
    for await (const _ of client.stream(ENDLESS, [], { timeoutMs: STALL_MS })) {
      const busyUntilMs = performance.now() + STALL_MS / 4;
      while (performance.now() < busyUntilMs);
      if (performance.now() - sinceMs > 8 * STALL_MS) break;
    }
    expect(performance.now() - sinceMs).toBeGreaterThan(8 * STALL_MS);
  });

  test('while a transaction of the client takes it slowly', async () => {
    await client.transaction(
      async (tx) => {
        expect(await takeSlowly(tx.stream(MANY), 6 * STALL_MS)).toBe(ROWS);
      },
      { timeoutMs: 30_000 },
    );
  });

  test('while a reader of another kind takes a chunk from time to time', async () => {
    const { response, hangUp } = await openStream(broker.queryUrl(), broker.headers(), { sql: ENDLESS });
    const sinceMs = performance.now();
    for await (const _ of response as AsyncIterable<Buffer>) {
      await sleep(STALL_MS / 10);
      if (performance.now() - sinceMs > 8 * STALL_MS) break;
    }
    expect(performance.now() - sinceMs).toBeGreaterThan(8 * STALL_MS);
    hangUp();
  });

  test('while a reader that cannot take more sends empty lines', async () => {
    const { response, hangUp } = await openStream(broker.queryUrl(), broker.headers(), { sql: ENDLESS });
    expect(response.headers['x-stream-stall-ms']).toBe(String(STALL_MS));
    response.pause();
    for (let signs = 0; signs < 30; signs += 1) {
      await sleep(STALL_MS / 5);
      response.socket.write('\r\n');
    }
    expect(await runningStatements(database, 'SELECT a.seq%')).toHaveLength(1);
    hangUp();
    await untilNoneRuns(database, 'SELECT a.seq%');
  });
});

async function brokenOff(response: IncomingMessage): Promise<unknown> {
  return await new Promise((resolve) => {
    response.once('error', resolve).resume();
  });
}

describe('a reader that takes nothing', { timeout: 60_000 }, () => {
  const large = JSON.stringify({ sql: MANY });

  test('of its stream is cut off after streamStallMs, and logged as such', async () => {
    const headers = { ...broker.headers(), 'x-request-id': 'stalled-stream' };
    const { response } = await openStream(broker.queryUrl('patient'), headers, { sql: ENDLESS });
    response.pause();
    // It looks for 10 s: a whole reply would have had 20 s.
    await untilNoneRuns(database, 'SELECT a.seq%');
    expect(lastLine('stalled-stream')).toMatch(/"status":499,.*"code":"CALLER_GONE","reason":"stalled"/);
    await brokenOff(response);
  });

  test('of a whole reply is cut off after 20 s, not twice that, and logged as such', async () => {
    const socket = connectTo(broker.url).pause();
    socket.on('error', () => socket.destroy());
    socket.write(
      `POST /v1/databases/large/query HTTP/1.1\r\nhost: 127.0.0.1\r\nx-request-id: stalled-reply\r\n` +
        `authorization: Bearer ${broker.keys.writer}\r\ncontent-type: application/json\r\n` +
        `content-length: ${large.length}\r\n\r\n${large}`,
    );
    const sinceMs = performance.now();
    const line = await eventually(
      async () => lastLine('stalled-reply'),
      (found) => found !== undefined,
      50_000,
    );
    expect(line).toMatch(/"status":499,.*"code":"CALLER_GONE","reason":"stalled"/);
    expect(performance.now() - sinceMs).toBeGreaterThan(18_000);
    expect(performance.now() - sinceMs).toBeLessThan(32_000);
    socket.destroy();
  });

  test('and hangs up in the middle of a whole reply is logged as gone', async () => {
    const headers = { ...broker.headers(), 'x-request-id': 'hung-up' };
    const controller = new AbortController();
    const asked = fetch(broker.queryUrl('large'), {
      method: 'POST',
      headers,
      body: large,
      signal: controller.signal,
    });
    expect((await asked).status).toBe(200);
    controller.abort();
    const line = await eventually(
      async () => lastLine('hung-up'),
      (found) => found !== undefined,
    );
    expect(line).toMatch(/"status":499,.*"code":"CALLER_GONE"/);
    expect(line).not.toContain('stalled');
  });
});
