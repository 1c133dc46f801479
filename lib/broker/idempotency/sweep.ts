import { Deadline } from '../../async/deadline.ts';
import { BrokerError } from '../../errors.ts';
import type { Database, PoolRegistry } from '../databases/pool-registry.ts';
import type { HttpApp } from '../http/http-app.ts';
import type { IdempotencyKeys } from './idempotency-keys.ts';
import { isMissingTable, type KeyTable } from './key-table.ts';

const INTERVAL_MS = 60_000;
/** While no keys come. It is longer than idle connections are kept, so that this keeps none of them open. */
const QUIET_INTERVAL_MS = 3_600_000;
/** Few enough that nobody waits for their locks for long. */
const BATCH_ROWS = 500;
const BATCH_TIMEOUT_MS = 10_000;

/** Removes idempotency keys that have expired, from time to time, while a connection has nothing else to do. */
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

/** Opens no connection of its own. False: it left off because the pool had other work. */
async function sweep(pool: Database['pool'], table: KeyTable): Promise<boolean> {
  let removed = BATCH_ROWS;
  while (removed === BATCH_ROWS) {
    const { idle, waiting } = pool.stats();
    if (idle === 0 || waiting > 0) return false;
    const watched = { deadline: Deadline.after(BATCH_TIMEOUT_MS), signal: undefined };
    removed = await pool.use(async (connection) => await table.sweep(connection, BATCH_ROWS, watched), {
      ...watched,
      purpose: 'sweep of idempotency keys',
    });
  }
  return true;
}
