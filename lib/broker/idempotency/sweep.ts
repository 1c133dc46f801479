import { Deadline } from '../../async/deadline.ts';
import { BrokerError } from '../../errors.ts';
import type { Database, PoolRegistry } from '../databases/pool-registry.ts';
import type { HttpApp } from '../http/http-app.ts';
import type { IdempotencyKeys } from './idempotency-keys.ts';
import { isMissingTable, type KeyTable } from './key-table.ts';

const INTERVAL_MS = 60_000;
/** While no keys are used. Longer than the default `pool.idleTimeoutMs`, so that sweeping keeps no idle connection open. */
const QUIET_INTERVAL_MS = 3_600_000;
/** Few, so that their locks are held briefly. */
const BATCH_ROWS = 500;
const BATCH_TIMEOUT_MS = 10_000;

/** Removes expired idempotency keys regularly, while a connection is idle. */
export function sweepIdempotencyKeys(pools: PoolRegistry, app: HttpApp): void {
  for (const database of pools.all) {
    if (database.idempotency !== undefined) sweepRegularly(database, database.idempotency, app);
  }
}

function sweepRegularly({ alias, pool }: Database, keys: IdempotencyKeys, app: HttpApp): void {
  let sweptAtMs = 0;
  const timer = setInterval(() => {
    const nowMs = performance.now();
    if (keys.usedAtMs < sweptAtMs && nowMs - sweptAtMs < QUIET_INTERVAL_MS) return;
    sweep(pool, keys.table).then(
      (isDone) => {
        if (isDone) sweptAtMs = nowMs;
      },
      (error: unknown) => {
        sweptAtMs = nowMs;
        if (isMissingTable(error)) return;
        const code = error instanceof BrokerError ? error.code : undefined;
        app.log.warn({ database: alias, code }, 'expired idempotency keys could not be removed');
      },
    );
  }, INTERVAL_MS).unref();
  app.onClose(() => clearInterval(timer));
}

/** Uses idle connections only. False: it stopped early because the pool had other work. */
async function sweep(pool: Database['pool'], table: KeyTable): Promise<boolean> {
  let removed = BATCH_ROWS;
  while (removed === BATCH_ROWS) {
    const { idle, waiting } = pool.stats();
    if (idle === 0 || waiting > 0) return false;
    const scope = { deadline: Deadline.after(BATCH_TIMEOUT_MS), signal: undefined };
    removed = await pool.use(async (connection) => await table.sweep(connection, BATCH_ROWS, scope), {
      ...scope,
      purpose: 'sweep of idempotency keys',
    });
  }
  return true;
}
