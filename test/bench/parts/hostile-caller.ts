import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { BY_KEY, type Outcome } from '../load/job.ts';
import type { LoadProcess } from '../load/load-process.ts';
import { usageOf } from '../measure/process-usage.ts';
import type { ServiceProcess } from '../subjects/service-process.ts';

const RATE_PER_SECOND = 500;
const CLIENTS = 64;
const SAMPLE_INTERVAL_MS = 50;
/** Below what the broker takes by default. */
const BODY_BYTES = 4_000_000;

export const HOSTILE_KEY = 'hostile';
/** An alias of one connection, so that calls wait. */
export const BUSY_ALIAS = 'busy';

/** What a hostile caller does, over and over; returns the statuses of the replies. */
interface Attack {
  readonly name: string;
  run(url: string): Promise<readonly string[]>;
}

export interface AttackResult {
  readonly name: string;
  /** Replies to the hostile caller, by status and code. */
  readonly replies: Readonly<Record<string, number>>;
  /** The other caller, which asks by key at a fixed rate. */
  readonly other: Outcome;
  /** The most that the broker had in memory. */
  readonly peakRssBytes: number;
}

const repeated = (text: string, bytes: number) => text.repeat(Math.floor(bytes / text.length));

const ATTACKS: readonly Attack[] = [
  { name: 'nothing', run: async () => await delay(100, []) },
  {
    name: '1 MB bound 250 times',
    run: async (url) => {
      const sql = `SELECT ${new Array(250).fill('LENGTH(:a)').join('+')}`;
      return await together(4, () => post(url, 'default/query', { sql, params: { a: repeated('x', 1e6) } }));
    },
  },
  {
    name: 'a batch of 3.5 MB, 1000 times',
    run: async (url) => {
      const sql = `INSERT INTO sink (n) SELECT ? FROM DUAL WHERE LENGTH('${repeated('x', 3.5e6)}') = 0`;
      const paramSets = Array.from({ length: 1000 }, () => [1]);
      return await together(2, () => post(url, 'default/batch', { sql, paramSets }, 5_000));
    },
  },
  {
    name: '20 rows of 60 MB',
    run: async (url) =>
      await together(20, () => post(url, 'default/query', { sql: "SELECT REPEAT('x', 60000000)" })),
  },
  {
    name: '40 calls of 4 MB in line',
    run: async (url) => {
      const params = { a: repeated('x', BODY_BYTES) };
      const [, replies] = await Promise.all([
        post(url, `${BUSY_ALIAS}/query`, { sql: 'SELECT SLEEP(2)' }),
        together(40, () => post(url, `${BUSY_ALIAS}/query`, { sql: 'SELECT LENGTH(:a)', params }, 2_000)),
      ]);
      return replies;
    },
  },
  { name: '76 readers of 4.4 MB that take nothing', run: async (url) => await stalledReaders(url, 76) },
  {
    name: '1.3 million placeholders',
    run: async (url) => {
      const sql = `SELECT ${repeated(':a,', 3.9e6)}1`;
      return [await post(url, 'default/query', { sql, params: { a: 1 } })];
    },
  },
];

/** Each attack, as often as it fits into the time, beside another caller whose calls are all to succeed. */
export async function runAttacks(
  broker: ServiceProcess,
  load: LoadProcess,
  durationMs: number,
): Promise<readonly AttackResult[]> {
  const results: AttackResult[] = [];
  for (const attack of ATTACKS) {
    console.error(`hostile caller: ${attack.name} ...`);
    results.push(await runAttack(attack, broker, load, durationMs));
  }
  return results;
}

async function runAttack(
  { name, run }: Attack,
  { url, pid }: ServiceProcess,
  load: LoadProcess,
  durationMs: number,
): Promise<AttackResult> {
  const end = new AbortController();
  const job = { mode: 'open', ratePerSecond: RATE_PER_SECOND, clients: CLIENTS } as const;
  const measured = load.run({ url, workload: BY_KEY, ...job, warmUpMs: 1_000, durationMs });
  const other = measured.finally(() => end.abort());
  const replies: Record<string, number> = {};
  const attacking = (async () => {
    while (!end.signal.aborted) {
      for (const reply of await run(url)) replies[reply] = (replies[reply] ?? 0) + 1;
    }
  })();
  let peakRssBytes = 0;
  while (!end.signal.aborted) {
    peakRssBytes = Math.max(peakRssBytes, (await usageOf(pid)).rssBytes);
    await delay(SAMPLE_INTERVAL_MS);
  }
  await attacking;
  return { name, replies, other: await other, peakRssBytes };
}

async function together(count: number, ask: () => Promise<string>): Promise<readonly string[]> {
  return await Promise.all(Array.from({ length: count }, ask));
}

/** The status and, of a failure, its code. */
async function post(url: string, path: string, body: object, timeoutMs = 10_000): Promise<string> {
  try {
    const reply = await fetch(`${url}/v1/databases/${path}`, {
      method: 'POST',
      headers: { ...HEADERS, 'x-timeout-ms': String(timeoutMs) },
      body: JSON.stringify(body),
    });
    const text = await reply.text();
    return `${reply.status} ${/"code":"(\w+)"/.exec(text)?.[1] ?? ''}`.trim();
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

const HEADERS = { authorization: `Bearer ${HOSTILE_KEY}`, 'content-type': 'application/json' };

/** Each asks, and reads no more than the first bytes of its reply. */
async function stalledReaders(url: string, count: number): Promise<readonly string[]> {
  const sockets: Socket[] = [];
  const body = JSON.stringify({ sql: "SELECT id, REPEAT('x', 1000) FROM items LIMIT 4300" });
  const head = Object.entries(HEADERS).map(([name, value]) => `${name}: ${value}\r\n`);
  const statuses = await together(count, async () => {
    const socket = connect(Number(new URL(url).port), '127.0.0.1').pause();
    sockets.push(socket);
    socket.on('error', () => socket.destroy());
    socket.write(
      `POST /v1/databases/default/query HTTP/1.1\r\nhost: 127.0.0.1\r\n${head.join('')}` +
        `content-length: ${body.length}\r\n\r\n${body}`,
    );
    await Promise.race([once(socket, 'readable'), once(socket, 'close')]);
    const first: unknown = socket.read(12);
    return first instanceof Buffer ? first.toString('latin1').slice(9) : 'hung up';
  });
  await delay(2_000);
  for (const socket of sockets) socket.destroy();
  return statuses;
}
