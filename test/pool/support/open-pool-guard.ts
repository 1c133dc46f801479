import { afterEach, beforeEach, expect, vi } from 'vitest';
import { Deadline } from '../../../lib/async/deadline.ts';
import type { ServerConnectionLimit } from '../../../lib/pool/connects/server-limit.ts';
import type { PoolOptions } from '../../../lib/pool/pool-options.ts';
import { QueuePool } from '../../../lib/pool/queue-pool.ts';
import { type FakeConnection, FakeConnector } from './fake-connector.ts';

const OPTIONS: PoolOptions = {
  size: 2,
  maxOverflow: 1,
  checkoutTimeoutMs: 5_000,
  recycleAfterMs: 119_000,
  maxWaiting: 100,
  idleTimeoutMs: 600_000,
  minIdle: 0,
  keepAliveMs: 86_400_000,
  heldTooLongMs: 86_400_000,
  prePing: true,
  prePingAfterIdleMs: 500,
  isShared: false,
  order: 'lifo',
  maxPipelined: 8,
};

export interface PoolUnderTest {
  readonly pool: QueuePool<FakeConnection>;
  readonly connector: FakeConnector;
}

const underTest: PoolUnderTest[] = [];

export function buildPool(options: Partial<PoolOptions> = {}, server?: ServerConnectionLimit): PoolUnderTest {
  const built = buildUnguardedPool(options, server);
  underTest.push(built);
  return built;
}

/** For a test that ends its pools itself, because they are too many to keep. */
export function buildUnguardedPool(
  options: Partial<PoolOptions> = {},
  server?: ServerConnectionLimit,
): PoolUnderTest {
  const connector = new FakeConnector();
  return { connector, pool: new QueuePool(connector, { ...OPTIONS, ...options }, server) };
}

/** Lets everything happen that needs no time. */
export async function settle(): Promise<void> {
  await vi.advanceTimersByTimeAsync(0);
}

/** Gives a file's tests a clock of their own, and fails each whose pools do not end clean after it. */
export function guardPools(): void {
  beforeEach(() => {
    vi.useFakeTimers({
      toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'performance'],
    });
  });

  afterEach(async () => {
    for (const { pool, connector } of underTest.splice(0)) await expectCleanEnd(pool, connector);
    expect(vi.getTimerCount()).toBe(0);
    vi.restoreAllMocks();
    vi.useRealTimers();
  });
}

async function expectCleanEnd(pool: QueuePool<FakeConnection>, connector: FakeConnector): Promise<void> {
  connector.recover();
  let isDrained = false;
  const draining = pool.drain(Deadline.after(1_000)).then(() => {
    isDrained = true;
  });
  await vi.advanceTimersByTimeAsync(10_000);
  expect(isDrained).toBe(true);
  await draining;
  expect(connector.counted).toBe(0);
  expect(pool.stats()).toMatchObject({ idle: 0, opening: 0, closing: 0, waiting: 0 });
}
