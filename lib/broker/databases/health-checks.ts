import type { CloseReason } from '../../pool/pool-events.ts';
import type { Database, PoolRegistry } from './pool-registry.ts';

/** Fraction of the interval, added or subtracted at random: brokers and aliases must not check all at once. */
const JITTER = 0.1;
/** After the server ended a connection the database is checked within this time, at a random moment. */
const SOON_MS = 1_000;
const ENDED_BY_PEER: ReadonlySet<CloseReason> = new Set(['lost', 'ping_failed']);

/** Probes each database regularly, so that an outage is noticed before a call runs into it. */
export class HealthChecks {
  readonly #databases: readonly Database[];
  readonly #timers = new Map<Database, NodeJS.Timeout>();
  #isRunning = false;

  constructor(pools: PoolRegistry) {
    this.#databases = [...pools.all].filter(({ settings }) => settings.pool.healthCheckIntervalMs > 0);
    for (const database of this.#databases) {
      database.pool.events.on('close', ({ reason }) => {
        if (ENDED_BY_PEER.has(reason)) this.#schedule(database, SOON_MS * Math.random());
      });
    }
  }

  start(): void {
    this.#isRunning = true;
    for (const database of this.#databases) this.#scheduleNext(database);
  }

  stop(): void {
    this.#isRunning = false;
    for (const timer of this.#timers.values()) clearTimeout(timer);
  }

  #scheduleNext(database: Database): void {
    const { healthCheckIntervalMs } = database.settings.pool;
    this.#schedule(database, healthCheckIntervalMs * (1 - JITTER + 2 * JITTER * Math.random()));
  }

  #schedule(database: Database, delayMs: number): void {
    if (!this.#isRunning) return;
    clearTimeout(this.#timers.get(database));
    const timer = setTimeout(() => {
      this.#scheduleNext(database);
      database.pool.probe();
    }, delayMs);
    this.#timers.set(database, timer.unref());
  }
}
