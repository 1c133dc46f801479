import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeEach, expect, test } from 'vitest';
import { startTestDatabase } from '../../support/database/database.ts';
import { eventually } from '../../support/http.ts';
import { type RotationScene, startRotationScene } from '../../support/rotation/rotation-scene.ts';
import { type LoadReport, SteadyLoad } from '../../support/rotation/steady-load.ts';
import { beginWorking, type WorkingTransaction } from '../../support/rotation/working-transaction.ts';
import { createWritten, rowsWrittenBy, WritingCallers } from './support/writing-callers.ts';

const ROTATIONS = Number(process.env.ROTATIONS ?? 15);
const REQUESTS_PER_SECOND = 200;
const CONNECTIONS = 10;
/** Open at every moment, and twice as many at each change. */
const TRANSACTIONS = 2;
/** The connections of the last password are gone so soon after their last use: each waits for a login. */
const LINGER_MS = 5_000;
/** A machine that does other things too may stand still for seconds. */
const PATIENCE_MS = 15_000;
const WARM_UP_MS = 1_000;
const QUIET_MS = 3_000;
const TURN_WINDOW_MS = 100;
const LONG_WINDOW_MS = 2_000;
/** Longer than `minRefreshIntervalMs`: then logins that are refused may look again in each rotation. */
const SHORT_WINDOW_MS = Number(process.env.ROTATION_WINDOW_MS ?? 1_200);

const database = await startTestDatabase();
afterAll(database.stop);

beforeEach(async () => {
  await createWritten(database);
});

async function beginTransactions({ post }: RotationScene): Promise<WorkingTransaction[]> {
  const begin = async () => await beginWorking(post, "INSERT INTO written (who) VALUES ('transactions')");
  return await Promise.all(Array.from({ length: TRANSACTIONS }, begin));
}

function threadsOf(transactions: readonly WorkingTransaction[]): number[] {
  return transactions.map(({ threadId }) => threadId);
}

/** How many rows they wrote. */
async function commitAll(transactions: readonly WorkingTransaction[]): Promise<number> {
  const written = await Promise.all(transactions.map(async ({ commit }) => await commit()));
  return written.reduce((sum, rows) => sum + rows, 0);
}

/** Has all connections replaced, while only the pending password opens any. Resolves when a new one has served. */
async function replaceAll({ post, threads }: RotationScene): Promise<void> {
  const old = await threads();
  const serving = async () => {
    const { text } = await post('/v1/databases/default/query', { sql: 'SELECT CONNECTION_ID() AS thread' });
    return Number(/"rows":\[\["?(\d+)/.exec(text)?.[1] ?? Number.NaN);
  };
  await post('/v1/databases/default/reconnect', {}, 'admin-key');
  await eventually(serving, (thread) => thread > Math.max(...old));
}

/** All connections are there, most of them idle: the load needs few. Answers the logins until then. */
async function loginsUntilFull({ threads, logins }: RotationScene): Promise<number> {
  await eventually(threads, ({ length }) => length === CONNECTIONS);
  return await logins();
}

/** A rotation under the eyes of transactions that were begun before. Answers those that take their place. */
async function rotateOnce(
  scene: RotationScene,
  transactions: readonly WorkingTransaction[],
  inWindow: () => Promise<void>,
): Promise<{ next: WorkingTransaction[]; written: number }> {
  const old = await scene.threads();
  const stillAlive = async () => (await scene.threads()).filter((thread) => old.includes(thread)).toSorted();
  await scene.rotate(inWindow);
  const next = await beginTransactions(scene);
  // Connections of the last password serve until their successors have logged in, so that the next may hold some too.
  const heldByNext = threadsOf(next).filter((thread) => old.includes(thread));
  const held = [...threadsOf(transactions), ...heldByNext].toSorted();
  const idleEnded = await eventually(
    stillAlive,
    (threads) => threads.every((thread) => held.includes(thread)),
    LINGER_MS,
  );
  expect(idleEnded).toEqual(held);
  const written = await commitAll(transactions);
  await eventually(
    stillAlive,
    (threads) => threads.every((thread) => heldByNext.includes(thread)),
    LINGER_MS,
  );
  return { next, written };
}

function tell(title: string, { served, p99Ms, slowestMs }: LoadReport): void {
  const latencies = `p99 ${p99Ms.toFixed(1)} ms, slowest ${slowestMs.toFixed(1)} ms`;
  console.log(`${title}: ${served} requests, ${latencies}`);
}

const SINGLE = { user: 'single', takesTurns: false };
const TURNING = { user: 'turning', takesTurns: true };

test.each([
  ['of a single user, whose next password waits in AWSPENDING,', SINGLE],
  ['of two users that take turns', TURNING],
])(
  'a rotation %s fails no request, loses no transaction and leaves no old connection, again and again',
  { timeout: 300_000 },
  async (_, { user, takesTurns }) => {
    const pool = {
      size: CONNECTIONS,
      maxOverflow: 0,
      minIdle: CONNECTIONS,
      checkoutTimeoutMs: PATIENCE_MS,
    };
    await using scene = await startRotationScene(database, { user, takesTurns, pool });
    const callers = new WritingCallers(scene.post);
    const load = new SteadyLoad(REQUESTS_PER_SECOND, callers.ask);
    await delay(WARM_UP_MS);
    const warmUp = load.take();
    await delay(QUIET_MS);
    const quiet = load.take();

    let transactions = await beginTransactions(scene);
    let inTransactions = 0;
    let mostLogins = 0;
    for (let rotation = 1; rotation <= ROTATIONS; rotation += 1) {
      const loginsBefore = await loginsUntilFull(scene);
      const replaced = rotation % 2 === 0 ? CONNECTIONS : 0;
      const singleWindowMs = rotation % 5 === 0 ? LONG_WINDOW_MS : SHORT_WINDOW_MS;
      const { next, written } = await rotateOnce(scene, transactions, async () => {
        if (replaced > 0) await replaceAll(scene);
        await delay(takesTurns ? TURN_WINDOW_MS : singleWindowMs);
      });
      transactions = next;
      inTransactions += written;
      mostLogins = Math.max(mostLogins, (await loginsUntilFull(scene)) - loginsBefore - replaced);
    }
    inTransactions += await commitAll(transactions);
    const rotating = await load.stop();
    tell(`${user}, without a rotation`, quiet);
    tell(`${user}, ${ROTATIONS} rotations, each with at most ${mostLogins} logins`, rotating);

    expect([...warmUp.failures, ...quiet.failures, ...rotating.failures]).toEqual([]);
    expect(rotating.served).toBeGreaterThan(20 * ROTATIONS);
    expect(await rowsWrittenBy(database, 'callers')).toBe(callers.written);
    expect(await rowsWrittenBy(database, 'transactions')).toBe(inTransactions);
    // Those of the rotation's own steps are among them.
    expect(mostLogins).toBeLessThanOrEqual(2 * CONNECTIONS);
  },
);
