import { isUtf8 } from 'node:buffer';
import Fastify, {
  type FastifyInstance,
  type FastifyReply,
  type FastifyRequest,
  LogController,
} from 'fastify';
import { BrokerError } from '../errors.ts';
import { METRICS_ROUTE } from '../protocol/routes.ts';
import type { Settings } from '../settings/settings.ts';
import { callOf, trackCall, trackCalls } from './call.ts';
import { parseExactly } from './exact-json.ts';
import { createHttpServer } from './http-server.ts';
import { sweepIdempotencyKeys } from './idempotency/sweep.ts';
import { LeaseRegistry } from './lease-registry.ts';
import { Lifecycle } from './lifecycle.ts';
import { logLeases } from './log-leases.ts';
import { logPools } from './log-pools.ts';
import { logRawReply, logRequest } from './log-request.ts';
import { Metrics } from './metrics.ts';
import { forwardToOwners, type Peers } from './peers/peers.ts';
import { newTaskName } from './peers/task-name.ts';
import { authenticate, type CallerLookup } from './plugins/authenticate.ts';
import { refuseWhenDraining } from './plugins/draining.ts';
import { addErrorReplies, replyToBadAddress } from './plugins/error-replies.ts';
import { refuseExpectations } from './plugins/expectations.ts';
import { refuseOtherMethods } from './plugins/method-not-allowed.ts';
import { PoolRegistry } from './pool-registry.ts';
import { type OnRawReply, replyToClientError } from './raw-replies.ts';
import { requestIdOf } from './request-id.ts';
import { addCredentialsRoute } from './routes/credentials.ts';
import { addDatabasesRoutes } from './routes/databases.ts';
import { addHealthRoutes } from './routes/health.ts';
import { addLeaseRoutes } from './routes/leases.ts';
import { addOpenapiRoute } from './routes/openapi.ts';
import { addPoolControlRoutes } from './routes/pool-control.ts';
import { addQueryRoute } from './routes/query.ts';
import { addRotationRoute } from './routes/rotation.ts';
import { addTransactionRoutes } from './routes/transaction.ts';
import { StreamRegistry } from './stream-registry.ts';

export interface Broker {
  readonly app: FastifyInstance;
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

/** Puts the broker together. Nothing listens and nothing is opened yet. */
export function buildBroker(
  settings: Settings,
  findCaller: CallerLookup,
  log: LogOptions,
  peers: Peers = { endpoints: [] },
): Broker {
  const { server } = settings;
  const lifecycle = new Lifecycle();
  const pools = new PoolRegistry(settings);
  const taskName = newTaskName();
  const leases = new LeaseRegistry(taskName);
  const streams = new StreamRegistry();
  const metrics = new Metrics(pools, leases, streams);
  const onDone = (request: FastifyRequest, reply: FastifyReply) => {
    logRequest(request, reply);
    const { code, alias } = callOf(request);
    if (code !== undefined) metrics.requestFailed(alias ?? '', code);
  };
  const onRawReply: OnRawReply = (failure, requestId, socket) => {
    logRawReply(app.log, failure, requestId, socket);
    metrics.requestFailed('', failure.code);
  };

  const app = Fastify({
    logger: { ...log, base: { service: 'broker' } },
    logController: new LogController({ disableRequestLogging: true }),
    // A logger for each request would cost more than its line: our lines name the request's id themselves. Fastify's own,
    // of which there is none as long as every handler does its part, do not.
    childLoggerFactory: (logger) => logger,
    genReqId: requestIdOf,
    bodyLimit: server.bodyLimitBytes,
    return503OnClosing: false,
    exposeHeadRoutes: false,
    clientErrorHandler: (error, socket) => replyToClientError(error, socket, onRawReply),
    frameworkErrors: (error, request, reply) => {
      trackCall(request, reply, onDone);
      void replyToBadAddress(error, request, reply);
    },
    serverFactory: (listener) => createHttpServer(server, listener, onRawReply),
  });

  logPools(pools, app.log);
  logLeases(leases, app.log);
  sweepIdempotencyKeys(pools, app);
  trackCalls(app, onDone);
  acceptJsonOnly(app);
  addErrorReplies(app);
  refuseExpectations(app);
  refuseWhenDraining(app, lifecycle);
  authenticate(app, pools, findCaller, settings.allowAnonymous);
  forwardToOwners(app, peers, taskName, settings);

  const otherMethods = refuseOtherMethods(app);
  addQueryRoute(app, pools, streams, metrics);
  addTransactionRoutes(app, pools, metrics);
  addLeaseRoutes(app, pools, leases, streams, metrics);
  addDatabasesRoutes(app, pools);
  addPoolControlRoutes(app, pools);
  addCredentialsRoute(app, pools);
  addRotationRoute(app, pools);
  addHealthRoutes(app, pools, lifecycle, taskName);
  addOpenapiRoute(app);
  app.get(
    METRICS_ROUTE,
    async (_request, reply) =>
      await reply.type(metrics.registry.contentType).send(await metrics.registry.metrics()),
  );
  otherMethods.addTo();
  return { app, pools, leases, streams, lifecycle, metrics };
}

/** Text that is no UTF-8 is refused: read leniently, it would reach the database altered. */
function acceptJsonOnly(app: FastifyInstance): void {
  app.removeAllContentTypeParsers();
  const options = { parseAs: 'buffer' } as const;
  app.addContentTypeParser('application/json', options, async (_request: FastifyRequest, body: Buffer) => {
    if (body.length === 0) throw new BrokerError('INVALID_REQUEST', 'The body is empty; it must be JSON');
    if (!isUtf8(body)) throw new BrokerError('INVALID_REQUEST', 'The body is not valid UTF-8');
    return parseExactly(body.toString('utf8').replace(/^\uFEFF/, ''));
  });
}
