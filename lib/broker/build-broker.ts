import { pino } from 'pino';
import { ERROR_TRAITS, isErrorCode } from '../errors.ts';
import { leastBufferedBytes } from '../settings/buffered-bytes.ts';
import type { Settings } from '../settings/settings.ts';
import { adminOf, authenticate } from './checks/authenticate.ts';
import type { CallerDirectory } from './checks/caller-directory.ts';
import { refuseExpectations } from './checks/expectations.ts';
import { refuseForeignRequests } from './checks/foreign-requests.ts';
import { HealthChecks } from './databases/health-checks.ts';
import { PoolRegistry } from './databases/pool-registry.ts';
import { HttpApp } from './http/http-app.ts';
import { defaultMaxBufferedBytes } from './http/memory-limit.ts';
import { sweepIdempotencyKeys } from './idempotency/sweep.ts';
import { Lifecycle, refuseWhenDraining } from './lifecycle.ts';
import { addBudgetMetrics } from './observability/budget-metrics.ts';
import { FaultMonitor } from './observability/fault-monitor.ts';
import { logPools } from './observability/log-pools.ts';
import { isProblem, logRawReply, logRequest } from './observability/log-request.ts';
import { logLeases } from './observability/log-transactions.ts';
import { Metrics } from './observability/metrics.ts';
import { newBrokerId } from './peers/broker-id.ts';
import { forwardToOwners, type Peers } from './peers/peers.ts';
import { addCredentialsRoute } from './routes/credentials.ts';
import { addDatabasesRoutes } from './routes/databases.ts';
import { addHealthRoutes } from './routes/health.ts';
import { addHomeRoute } from './routes/home.ts';
import { addMetricsRoute } from './routes/metrics.ts';
import { addOneShotRoutes } from './routes/one-shot.ts';
import { addOpenapiRoute } from './routes/openapi.ts';
import { addPoolControlRoutes } from './routes/pool-control.ts';
import { addQueryRoute } from './routes/query.ts';
import { addRotationRoute } from './routes/rotation.ts';
import { addTransactionRoutes } from './routes/transactions.ts';
import { StreamRegistry } from './streams/stream-registry.ts';
import { LeaseRegistry } from './transactions/lease-registry.ts';

export interface Broker {
  readonly app: HttpApp;
  readonly pools: PoolRegistry;
  readonly leases: LeaseRegistry;
  readonly streams: StreamRegistry;
  readonly lifecycle: Lifecycle;
  readonly metrics: Metrics;
}

export interface LogOptions {
  readonly level: string;
  /** Default: standard output. */
  readonly stream?: { write(line: string): void };
}

/** Failures answered with 5xx. */
function isServerFailure(code: string | undefined): boolean {
  return code !== undefined && isErrorCode(code) && ERROR_TRAITS[code].httpStatus >= 500;
}

/** Starts them after the log has said that the server listens. */
function runWhileListening(app: HttpApp, services: readonly { start(): void; stop(): void }[]): void {
  for (const service of services) {
    app.onListen(() => setImmediate(() => service.start()));
    app.onClose(() => service.stop());
  }
}

/** Builds the broker. It neither listens nor opens connections yet. */
export function buildBroker(
  settings: Settings,
  callers: CallerDirectory,
  log: LogOptions,
  peers: Peers = { endpoints: [] },
): Broker {
  const { server } = settings;
  const lifecycle = new Lifecycle();
  const pools = new PoolRegistry(settings);
  const brokerId = newBrokerId();
  const leases = new LeaseRegistry(brokerId);
  const streams = new StreamRegistry();
  const metrics = new Metrics(pools, leases, streams);
  const app = new HttpApp({
    settings: server,
    maxBufferedBytes: server.maxBufferedBytes ?? defaultMaxBufferedBytes(leastBufferedBytes(settings)),
    log: pino({ level: log.level, base: { service: 'broker' } }, log.stream ?? process.stdout),
    onDone: (call) => {
      const { alias, code } = call;
      const database = alias === undefined ? undefined : pools.get(alias);
      const health = isServerFailure(code) ? database?.health : undefined;
      if (server.accessLog === 'all' || isProblem(call, database?.settings.statistics.slowMs)) {
        logRequest(call, call.durationMs === 0 ? health?.logins.current : undefined);
      }
      health?.noteFailedCall();
      if (code !== undefined) metrics.requestFailed(alias ?? '', code);
    },
    onRawReply: (failure, requestId, socket) => {
      logRawReply(app.log, failure, requestId, socket);
      metrics.requestFailed('', failure.code);
    },
  });

  addBudgetMetrics(metrics.registry, app.budget);
  const faults = new FaultMonitor(pools, callers, settings, app.log);
  runWhileListening(app, [faults, new HealthChecks(pools)]);
  logPools(pools, app.log);
  logLeases(leases, app.log);
  sweepIdempotencyKeys(pools, app);
  refuseForeignRequests(app);
  refuseExpectations(app);
  refuseWhenDraining(app, lifecycle);
  authenticate(app, pools, callers, settings.allowAnonymous);
  forwardToOwners(app, peers, brokerId, settings);

  addQueryRoute(app, pools, streams, metrics);
  addOneShotRoutes(app, pools, metrics);
  addTransactionRoutes(app, pools, leases, streams, metrics);
  addDatabasesRoutes(app, pools, faults);
  addPoolControlRoutes(app, pools);
  addCredentialsRoute(app, pools);
  addRotationRoute(app, pools);
  addHealthRoutes(app, {
    pools,
    lifecycle,
    task: brokerId,
    faults,
    adminOf: async (call) => await adminOf(call, callers, settings.allowAnonymous),
  });
  addHomeRoute(app);
  addOpenapiRoute(app);
  addMetricsRoute(app, metrics);
  return { app, pools, leases, streams, lifecycle, metrics };
}
