import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import { BrokerError, ERROR_TRAITS, isErrorCode } from '../../errors.ts';
import type { ServerConnectionLimit } from '../../pool/connects/server-limit.ts';
import type { Database, PoolRegistry } from '../databases/pool-registry.ts';
import type { StreamRegistry } from '../streams/stream-registry.ts';
import type { LeaseRegistry } from '../transactions/lease-registry.ts';
import { outcomeOfFailure, type StatementOutcome } from './statement-outcome.ts';

const SECONDS_PER_MS = 0.001;
const LATENCY_BUCKETS_S = [
  0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30,
];

/** Every metric of the broker. Names and labels are part of the interface: dashboards use them. */
export class Metrics {
  readonly registry = new Registry();
  readonly #queryDuration = this.#histogram('broker_query_duration_seconds', 'Time of statements in MySQL', [
    'database',
    'outcome',
  ]);
  readonly #errors = this.#counter('broker_errors_total', 'Failed requests by error code', [
    'database',
    'code',
  ]);
  readonly #serverErrors = this.#counter('broker_server_errors_total', 'Requests answered with 5xx', [
    'database',
  ]);
  readonly #checkoutWait = this.#histogram(
    'broker_checkout_wait_seconds',
    'Time that calls wait for a connection',
    ['database', 'outcome'],
  );
  readonly #connectDuration = this.#histogram('broker_connect_duration_seconds', 'Time of logins', [
    'database',
  ]);
  readonly #connectFailures = this.#counter('broker_connect_failures_total', 'Failed logins', ['database']);
  readonly #loginsRefused = this.#counter(
    'broker_logins_refused_total',
    'Logins that failed because of their credentials',
    ['database'],
  );
  readonly #closed = this.#counter('broker_connections_closed_total', 'Connections closed, by reason', [
    'database',
    'reason',
  ]);
  readonly #timeouts = this.#counter(
    'broker_checkout_timeouts_total',
    'Calls that waited too long for a connection',
    ['database'],
  );
  readonly #invalidations = this.#counter(
    'broker_pool_invalidations_total',
    'Times that all connections were declared unusable',
    ['database', 'reason'],
  );

  readonly #doubleCheckins = this.#counter(
    'broker_double_checkins_total',
    'Connections checked in twice; each is a defect of the broker',
    ['database'],
  );

  readonly #transactionsEnded = this.#counter(
    'broker_transactions_ended_total',
    'Interactive transactions that ended, by reason',
    ['database', 'reason'],
  );

  readonly #replays = this.#counter(
    'broker_idempotent_replays_total',
    'Repeated requests that got the answer of the first',
    ['database'],
  );

  constructor(pools: PoolRegistry, leases: LeaseRegistry, streams: StreamRegistry) {
    collectDefaultMetrics({ register: this.registry });
    leases.onEnd(({ identity: { alias } }, reason) => {
      this.#transactionsEnded.inc({ database: alias, reason });
    });
    for (const database of pools.all) this.#observe(database);
    this.#poolGauges(pools, leases, streams);
    this.#serverGauges(pools);
  }

  /** Observes a statement, also one that failed or was stopped. */
  queryDone(alias: string, durationMs: number, outcome: StatementOutcome): void {
    this.#queryDuration.observe({ database: alias, outcome }, durationMs * SECONDS_PER_MS);
  }

  answerReplayed(alias: string): void {
    this.#replays.inc({ database: alias });
  }

  /** @param alias Empty if the request named no existing one: a label must not be a caller's invention. */
  requestFailed(alias: string, code: string): void {
    this.#errors.inc({ database: alias, code });
    if (isErrorCode(code) && ERROR_TRAITS[code].httpStatus >= 500)
      this.#serverErrors.inc({ database: alias });
  }

  #observe({ alias, pool: { events } }: Database): void {
    const database = { database: alias };
    const served = this.#checkoutWait.labels({ ...database, outcome: 'ok' });
    events.on('checkout', ({ waitedMs }) => served.observe(waitedMs * SECONDS_PER_MS));
    const observeFailedWait = ({ waitedMs, error }: { readonly waitedMs: number; readonly error: unknown }) =>
      this.#checkoutWait.observe(
        { ...database, outcome: outcomeOfFailure(error) },
        waitedMs * SECONDS_PER_MS,
      );
    events.on('timeout', observeFailedWait);
    events.on('refused', observeFailedWait);
    events.on('timeout', () => this.#timeouts.inc(database));
    events.on('connect', ({ durationMs }) =>
      this.#connectDuration.observe(database, durationMs * SECONDS_PER_MS),
    );
    events.on('connect_failed', ({ error }) => {
      this.#connectFailures.inc(database);
      if (error instanceof BrokerError && error.code === 'CREDENTIALS_REFUSED')
        this.#loginsRefused.inc(database);
    });
    events.on('close', ({ reason }) => this.#closed.inc({ ...database, reason }));
    events.on('double_checkin', () => this.#doubleCheckins.inc(database));
    events.on('invalidate', ({ reason }) => this.#invalidations.inc({ ...database, reason }));
  }

  #poolGauges(pools: PoolRegistry, leases: LeaseRegistry, streams: StreamRegistry): void {
    const gauge = (name: string, help: string, read: (database: Database) => number) =>
      this.#gauge(name, help, 'database', () =>
        [...pools.all].map((database) => [database.alias, read(database)]),
      );
    gauge('broker_pool_size', 'Connections that the pool keeps open', ({ pool }) => pool.stats().size);
    gauge(
      'broker_pool_max_overflow',
      'Connections allowed above the size',
      ({ pool }) => pool.stats().maxOverflow,
    );
    gauge(
      'broker_pool_connections',
      'Connections that the server counts',
      ({ pool }) => pool.stats().connections,
    );
    gauge('broker_pool_idle', 'Idle connections', ({ pool }) => pool.stats().idle);
    gauge('broker_pool_checked_out', 'Connections in use', ({ pool }) => pool.stats().checkedOut);
    gauge(
      'broker_pool_busy_ratio',
      'Connections in use, as a fraction of those allowed',
      (database) => database.pool.stats().checkedOut / pools.maxConnectionsOf(database),
    );
    gauge('broker_pool_opening', 'Connections logging in', ({ pool }) => pool.stats().opening);
    gauge('broker_pool_closing', 'Connections that are being closed', ({ pool }) => pool.stats().closing);
    gauge('broker_pool_overflow', 'Connections above the size', ({ pool }) => pool.stats().overflow);
    gauge('broker_pool_waiting', 'Calls that wait for a connection', ({ pool }) => pool.stats().waiting);
    gauge(
      'broker_pool_oldest_wait_seconds',
      'Wait of the call at the head of the queue',
      ({ pool }) => pool.stats().oldestWaitMs * SECONDS_PER_MS,
    );
    gauge('broker_pool_paused', '1 while the pool is paused', ({ pool }) => (pool.stats().paused ? 1 : 0));
    gauge('broker_transactions_open', 'Interactive transactions that are open', ({ alias }) =>
      leases.openCount(alias),
    );
    gauge('broker_streams_open', 'Streams whose statements run', ({ alias }) => streams.openCount(alias));
    gauge('broker_database_up', '1 while connections can be opened', ({ state }) => (state === 'up' ? 1 : 0));
  }

  #serverGauges(pools: PoolRegistry): void {
    const gauge = (name: string, help: string, read: (server: ServerConnectionLimit) => number) =>
      this.#gauge(name, help, 'server', () =>
        [...pools.limitedServers].map(([server, cap]) => [server, read(cap)]),
      );
    gauge('broker_server_connections', 'Connections of all aliases on it', (server) => server.connections);
    gauge(
      'broker_server_connections_max',
      'Most connections that settings allow to it',
      (server) => server.maxConnections,
    );
  }

  /** Adds a gauge that is read at each scrape, so that it costs nothing in between. */
  #gauge(
    name: string,
    help: string,
    label: 'database' | 'server',
    read: () => readonly (readonly [string, number])[],
  ): void {
    new Gauge({
      name,
      help,
      labelNames: [label],
      registers: [this.registry],
      collect() {
        for (const [of, value] of read()) this.set({ [label]: of }, value);
      },
    });
  }

  #histogram<Label extends string>(name: string, help: string, labelNames: Label[]): Histogram<Label> {
    return new Histogram({
      name,
      help,
      labelNames,
      buckets: LATENCY_BUCKETS_S,
      registers: [this.registry],
    });
  }

  #counter<Label extends string>(name: string, help: string, labelNames: Label[]): Counter<Label> {
    return new Counter({ name, help, labelNames, registers: [this.registry] });
  }
}
