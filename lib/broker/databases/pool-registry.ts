import type { Deadline } from '../../async/deadline.ts';
import { buildCredentialsSources } from '../../credentials/build-sources.ts';
import type { CredentialsSource } from '../../credentials/login.ts';
import { assert, BrokerError } from '../../errors.ts';
import { MysqlConnector } from '../../mysql/connection/connector.ts';
import { KillConnection } from '../../mysql/connection/kill/kill-channel.ts';
import { LoginThrottle } from '../../mysql/connection/login-throttle.ts';
import type { MysqlConnection } from '../../mysql/connection/mysql-connection.ts';
import { parseSqlMode, type SqlMode } from '../../mysql/sql/lexer/sql-mode.ts';
import { ServerConnectionLimit } from '../../pool/connects/server-limit.ts';
import { QueuePool } from '../../pool/queue-pool.ts';
import { type ServerLimit, serverLimitOf } from '../../settings/servers.ts';
import type { DatabaseSettings, Settings } from '../../settings/settings.ts';
import { IdempotencyKeys } from '../idempotency/idempotency-keys.ts';
import { DatabaseHealth, type DatabaseState } from './database-health.ts';
import { poolOptions } from './pool-options.ts';
import { QuickReads } from './quick-reads.ts';

/** One configured database: its pool, and what requests need. */
export class Database {
  readonly alias: string;
  readonly settings: DatabaseSettings;
  readonly pool: QueuePool<MysqlConnection>;
  readonly credentials: CredentialsSource;
  /** The SQL mode of every session of the pool. */
  readonly sqlMode: SqlMode;
  readonly idempotency: IdempotencyKeys | undefined;
  readonly quickReads: QuickReads;
  readonly health: DatabaseHealth;
  /** More than one caller may use it. */
  readonly isShared: boolean;

  constructor(
    alias: string,
    settings: DatabaseSettings,
    pool: QueuePool<MysqlConnection>,
    credentials: CredentialsSource,
    isShared: boolean,
  ) {
    this.alias = alias;
    this.settings = settings;
    this.pool = pool;
    this.credentials = credentials;
    this.sqlMode = parseSqlMode(settings.session.sqlMode);
    this.idempotency = settings.idempotency && new IdempotencyKeys(settings.idempotency, this.sqlMode);
    this.quickReads = new QuickReads(settings.pool);
    this.health = new DatabaseHealth(pool);
    this.isShared = isShared;
  }

  get state(): DatabaseState {
    return this.health.state;
  }
}

/** The databases by alias. It alone listens for new credentials. */
export class PoolRegistry {
  readonly #databases = new Map<string, Database>();
  readonly #killConnections = new Map<string, KillConnection>();
  readonly #loginThrottle = new LoginThrottle();
  readonly #connectionLimits = new Map<string, ServerConnectionLimit>();
  readonly #servers: Settings['servers'];

  constructor(settings: Settings) {
    this.#servers = settings.servers;
    for (const [alias, credentials] of buildCredentialsSources(settings)) {
      const databaseSettings = settings.databases[alias];
      assert(databaseSettings !== undefined, 'credentials of an alias that is not configured');
      const connector = new MysqlConnector(
        databaseSettings,
        credentials,
        ({ host, port }) => this.#killConnectionOf(`${host}:${port}`),
        this.#loginThrottle,
      );
      const isShared = callerCount(settings, alias) > 1;
      const pool = new QueuePool(
        connector,
        poolOptions(databaseSettings, isShared),
        this.#connectionLimitOf(serverLimitOf(settings.servers, databaseSettings)),
      );
      credentials.onChange((_, isMove) => {
        // Open connections lead to the old address.
        if (isMove) pool.invalidate('moved');
        pool.supersede('credentials');
      });
      this.#databases.set(alias, new Database(alias, databaseSettings, pool, credentials, isShared));
    }
  }

  get all(): Iterable<Database> {
    return this.#databases.values();
  }

  /** The servers with a connection limit, by their name in the settings. */
  get limitedServers(): Iterable<readonly [string, ServerConnectionLimit]> {
    return this.#connectionLimits;
  }

  /** Most connections that a database can have: its pool's bound or its server's limit, whichever is lower. */
  maxConnectionsOf({ settings }: Database): number {
    const { size, maxOverflow } = settings.pool;
    const limit = serverLimitOf(this.#servers, settings)?.maxConnections ?? Number.POSITIVE_INFINITY;
    return Math.min(size + maxOverflow, limit);
  }

  has(alias: string): boolean {
    return this.#databases.has(alias);
  }

  /** @throws {BrokerError} UNKNOWN_DATABASE. */
  get(alias: string): Database {
    const database = this.#databases.get(alias);
    if (database === undefined) throw new BrokerError('UNKNOWN_DATABASE', `There is no database "${alias}"`);
    return database;
  }

  /** Begins to open a connection to each database, which shows which are up. Does not wait for them. */
  start(): void {
    for (const { pool, credentials } of this.#databases.values()) {
      credentials.start();
      // A failure shows in `state`; the pool retries by itself.
      pool.checkout().then(
        (pooled) => pooled.checkin(),
        () => undefined,
      );
    }
  }

  async drain(deadline: Deadline): Promise<void> {
    await Promise.all(
      [...this.#databases.values()].map(async ({ pool, credentials }) => {
        credentials.close();
        await pool.drain(deadline);
      }),
    );
    await Promise.all([...this.#killConnections.values()].map(async (control) => await control.close()));
  }

  #connectionLimitOf(limit: ServerLimit | undefined): ServerConnectionLimit | undefined {
    if (limit === undefined) return undefined;
    const known = this.#connectionLimits.get(limit.name) ?? new ServerConnectionLimit(limit.maxConnections);
    this.#connectionLimits.set(limit.name, known);
    return known;
  }

  #killConnectionOf(server: string): KillConnection {
    const known = this.#killConnections.get(server) ?? new KillConnection();
    this.#killConnections.set(server, known);
    return known;
  }
}

function callerCount({ callers }: Settings, alias: string): number {
  const names = ({ databases }: { readonly databases: readonly string[] }) =>
    databases.includes(alias) || databases.includes('*');
  return Object.values(callers).filter(names).length;
}
