import { setTimeout as delay } from 'node:timers/promises';
import type { Job, Outcome } from './job.ts';
import { Tally } from './tally.ts';

/** One of many that put load on a subject, one operation at a time. */
export interface LoadClient {
  /** Connects; an operation does it too if need be. */
  open(): Promise<void>;
  operate(): Promise<void>;
  close(): void;
}

type ClosedLoop = Extract<Job, { mode: 'closed' }>;
type OpenLoop = Extract<Job, { mode: 'open' }>;

/** A client that was refused does not come back at once. */
const FAILURE_PAUSE_MS = 10;
const TICK_MS = 1;
const OPENING_AT_ONCE = 100;
/** Fewer answers than this for each client say nothing: the measurement lasts longer then, but not for ever. */
const LEAST_ANSWERS = 3;
const MOST_TIMES_LONGER = 10;

export async function run(clients: readonly LoadClient[], job: Job): Promise<Outcome> {
  try {
    if (job.mode === 'burst') return await burst(clients);
    for (let next = 0; next < clients.length; next += OPENING_AT_ONCE) {
      await Promise.all(clients.slice(next, next + OPENING_AT_ONCE).map((client) => client.open()));
    }
    await callOnce(clients);
    return job.mode === 'closed' ? await again(clients, job) : await atRate(clients, job);
  } finally {
    for (const client of clients) client.close();
  }
}

async function burst(clients: readonly LoadClient[]): Promise<Outcome> {
  const sinceMs = performance.now();
  const tally = new Tally(sinceMs);
  await Promise.all(clients.map((client) => tally.count(sinceMs, client.operate())));
  return tally.outcome();
}

async function again(clients: readonly LoadClient[], { warmUpMs, durationMs }: ClosedLoop): Promise<Outcome> {
  const fromMs = performance.now() + warmUpMs;
  const tally = new Tally(fromMs);
  const isOver = (nowMs: number) => {
    const isEnough = tally.succeeded >= LEAST_ANSWERS * clients.length;
    return nowMs > fromMs + (isEnough ? durationMs : MOST_TIMES_LONGER * durationMs);
  };
  const repeat = async (client: LoadClient) => {
    for (let dueMs = performance.now(); !isOver(dueMs); dueMs = performance.now()) {
      await tally.count(dueMs, pauseAfterFailure(client.operate()));
    }
    tally.close();
  };
  await Promise.all(clients.map(repeat));
  return tally.outcome();
}

/** A busy service accepts one new connection after the other: until it has them all, clients wait for nothing else. */
async function callOnce(clients: readonly LoadClient[]): Promise<void> {
  await Promise.all(clients.map((client) => pauseAfterFailure(client.operate()).catch(() => undefined)));
}

async function pauseAfterFailure(operation: Promise<void>): Promise<void> {
  try {
    await operation;
  } catch (error) {
    await delay(FAILURE_PAUSE_MS);
    throw error;
  }
}

/**
 * Operations are due at even intervals. One that finds every client busy waits for the first free one, and its wait
 * counts: a subject that stands still delays all that were due meanwhile, not only those that it had begun.
 */
async function atRate(
  clients: readonly LoadClient[],
  { ratePerSecond, warmUpMs, durationMs }: OpenLoop,
): Promise<Outcome> {
  const sinceMs = performance.now();
  const tally = new Tally(sinceMs + warmUpMs);
  const total = Math.floor(((warmUpMs + durationMs) * ratePerSecond) / 1_000);
  const free = [...clients];
  const running = new Set<Promise<void>>();
  for (let next = 0; next < total; ) {
    const dueMs = sinceMs + (next * 1_000) / ratePerSecond;
    const client = dueMs <= performance.now() ? free.pop() : undefined;
    if (client === undefined) {
      await delay(TICK_MS);
      continue;
    }
    next += 1;
    const ended = tally.count(dueMs, client.operate()).then(() => {
      running.delete(ended);
      free.push(client);
    });
    running.add(ended);
  }
  await Promise.all(running);
  return tally.outcome();
}
