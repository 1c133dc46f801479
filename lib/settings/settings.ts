import * as z from 'zod';
import {
  bytes,
  choice,
  flag,
  integer,
  milliseconds,
  millisecondsOrNone,
  named,
  path,
  SERVER_NAME,
  section,
  text,
} from './fields.ts';
import { SecretsSettings, ServerSettings } from './process-settings.ts';
import { READABLE_SQL_MODE, READABLE_SQL_MODE_TEXT } from './sql-modes.ts';

// Rules of a single field are here; rules between fields are in checks/.

const alias = text(/^[a-z][a-z0-9-]{0,62}$/, 'a name of at most 63 of a-z 0-9 - that begins with a letter');
export const CallerName = text(
  /^[A-Za-z][A-Za-z0-9._-]{0,62}$/,
  'a name of at most 63 of A-Z a-z 0-9 . _ - that begins with a letter',
);
/** Only IPv6 addresses have colons, at least two: the port is another field. */
const host = text(
  /^(?=.{1,255}$)([A-Za-z0-9._-]+|[0-9A-Fa-f]*:[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*(%[\w.-]+)?)$/,
  'a host name or an IP address, without a port: that is a field of its own',
);
const secretId = text(/^[\w/+=.@:!-]{1,2048}$/, 'the name or the ARN of a secret');
const username = text(/^[^\0]+$/, 'a user name');

const FORMS = 'exactly one of {secretId}, {file}, {username, password}, {iam: {username}}';

/** The source of the login, in exactly one form. */
export const CredentialsSettings = z.union(
  [
    /** A secret in Secrets Manager that holds RDS secret JSON. */
    z.strictObject({ secretId }, FORMS),
    /** A file that holds the same JSON, read again when it changes. */
    z.strictObject({ file: path }, FORMS),
    z.strictObject({ username, password: z.string('a string') }, FORMS),
    /** RDS IAM authentication. */
    z.strictObject({ iam: z.strictObject({ username }, FORMS) }, FORMS),
  ],
  FORMS,
);
export type CredentialsSettings = z.infer<typeof CredentialsSettings>;

const TLS_FORMS = 'verify, skip-verify, off, {ca, serverName?}';

/** `verify` trusts the RDS CA bundle and the system's CAs and checks the host name; `ca` replaces the bundle. */
export const TlsSettings = z.union(
  [
    choice('verify', 'skip-verify', 'off'),
    z.strictObject({ ca: path, serverName: host.optional() }, TLS_FORMS),
  ],
  TLS_FORMS,
);
export type TlsSettings = z.infer<typeof TlsSettings>;

const VARIABLE_VALUES =
  'a number, true, false, or a string without quotes, backslashes and control characters';

const variableValue = z.union(
  [z.number(), z.boolean(), text(/^[^'"`\\\p{Cc}]*$/u, VARIABLE_VALUES)],
  VARIABLE_VALUES,
);

/** The session of every connection, set when it is opened or reset. No value can hold a quote or a backslash. */
export const SessionSettings = section({
  sqlMode: text(READABLE_SQL_MODE, READABLE_SQL_MODE_TEXT).default('STRICT_TRANS_TABLES'),
  timeZone: text(
    /^([+-](0\d|1[0-4]):[0-5]\d|[A-Za-z][\w+/-]*)$/,
    'an offset like +00:00 or the name of a time zone',
  ).default('+00:00'),
  /** Default: the server's for utf8mb4. */
  collation: text(/^utf8mb4_[a-z0-9_]+$/, 'a collation of utf8mb4').optional(),
  variables: named(
    text(/^[a-z][a-z0-9_]*$/, 'the name of a session variable'),
    variableValue,
    'a mapping',
  ).default({}),
});
export type SessionSettings = z.infer<typeof SessionSettings>;

export const PoolSettings = section({
  /** Connections kept open between checkouts. */
  size: integer(1).default(10),
  /** Connections opened on top under load and closed on checkin. */
  maxOverflow: integer(0).default(10),
  /** One budget for the wait in the queue and the login. */
  checkoutTimeoutMs: milliseconds.default(5_000),
  /** Age at which a connection is replaced; jittered. */
  recycleAfterMs: milliseconds.default(119_000),
  /** Most calls in the queue. With one more, one is refused at once. */
  maxWaiting: integer(0).default(1_000),
  /** An idle connection above `minIdle` is closed after this time. */
  idleTimeoutMs: milliseconds.default(600_000),
  minIdle: integer(0).default(0),
  /** Ping a connection that was idle for `prePingAfterIdleMs` before it is checked out. */
  prePing: flag.default(true),
  prePingAfterIdleMs: millisecondsOrNone.default(500),
  /** How often a database without calls is checked: by a ping, or by a login if no connection is open. 0: never. */
  healthCheckIntervalMs: millisecondsOrNone.default(30_000),
  /** Which idle connection is checked out: the one used last, or the one used longest ago. */
  order: choice('lifo', 'fifo').default('lifo'),
  /** When a connection's session is cleared: as needed, after every checkin, or never (a ROLLBACK only). */
  resetOnCheckin: choice('auto', 'always', 'rollback').default('auto'),
  /** Reads that a connection is sent in one go while calls wait in line. 1: never more than one. */
  maxPipelined: integer(1, 64).default(8),
  /** Only reads whose text takes less than this, 99 times of 100, are sent together. */
  pipelineFasterThanMs: milliseconds.default(5),
});
export type PoolSettings = z.infer<typeof PoolSettings>;

export const LimitSettings = section({
  /** Upper bound of a request's own timeout. */
  queryTimeoutMs: milliseconds.default(30_000),
  /** Upper bound of a request's own `maxRows`. */
  maxRows: integer(1).default(100_000),
  /** Size of a statement with its values. The default is MariaDB's `max_allowed_packet`. */
  maxStatementBytes: bytes.default(16_777_216),
  /** Size of a reply. The default still fits Lambda's 6 MB reply as base64. */
  maxResultBytes: bytes.default(4_500_000),
  /** Size of a streamed row, which is held in memory; `maxResultBytes` does not apply to streams. */
  maxRowBytes: bytes.default(16_777_216),
  /** A stream ends if its reader reads nothing for this time. */
  streamStallMs: milliseconds.default(20_000),
  /** Streams at a time; one more is refused. */
  maxStreams: integer(0).default(4),
});
export type LimitSettings = z.infer<typeof LimitSettings>;

const transactions = section({
  /** A transaction without a statement for this time is rolled back. */
  idleTimeoutMs: milliseconds.default(10_000),
  /** A transaction is rolled back at this age. */
  lifetimeMs: milliseconds.default(60_000),
  /** Transactions that may hold a connection at once. Default: {@link defaultMaxOpen}. */
  maxOpen: integer(1).optional(),
});

export const DEFAULT_SLOW_MS = 500;

/** How calls are logged. */
const statistics = section({
  /** A call whose reply begins later than this after the call's arrival is slow. 0: each is. */
  slowMs: millisecondsOrNone.default(DEFAULT_SLOW_MS),
});

const idempotency = section({
  table: text(/^[A-Za-z0-9_$]{1,64}$/, 'the name of a table').default('broker_idempotency'),
  keepMs: integer(1).default(86_400_000),
});
export type IdempotencySettings = z.infer<typeof idempotency>;

const database = section({
  /** The server's host. Overrides the secret's, as `port` and `database` do. */
  host: host.optional(),
  port: integer(1, 65_535).optional(),
  /** The default schema of connections. */
  database: text(/^[^\0]{1,64}$/, 'the name of a database').optional(),
  credentials: CredentialsSettings,
  tls: TlsSettings.default('verify'),
  session: SessionSettings.prefault({}),
  pool: PoolSettings.prefault({}),
  limits: LimitSettings.prefault({}),
  transactions: transactions.prefault({}),
  statistics: statistics.prefault({}),
  /** Show callers MySQL's own text for failures of their statements. */
  exposeMysqlMessages: flag.default(true),
  /** Absent: this alias takes no idempotency keys. */
  idempotency: idempotency.optional(),
});

/** One database, and how its connections are pooled. */
export const DatabaseSettings = database.transform((settings) => ({
  ...settings,
  transactions: {
    ...settings.transactions,
    maxOpen: settings.transactions.maxOpen ?? defaultMaxOpen(settings.pool),
  },
}));
export type DatabaseSettings = z.infer<typeof DatabaseSettings>;

/** Transactions leave one connection for other calls, if there is more than one. */
export function maxOpenBound(pool: PoolSettings): number {
  return Math.max(1, pool.size + pool.maxOverflow - 1);
}

function defaultMaxOpen(pool: PoolSettings): number {
  return Math.min(10, maxOpenBound(pool));
}

/** A caller and its access. */
export const CallerSettings = section({
  /** SHA-256 of the caller's key. This or `keySecret`. */
  keySha256: text(/^[0-9a-fA-F]{64}$/, 'a SHA-256 as 64 hexadecimal digits')
    .toLowerCase()
    .optional(),
  /** A secret whose string is the key. */
  keySecret: secretId.optional(),
  /** Aliases, or `*` for all. */
  databases: z
    .array(z.union([z.literal('*'), alias], 'an alias or *'), 'a list of aliases, or ["*"]')
    .min(1, 'at least one alias, or *'),
  /** `admin` includes `write`, and `write` includes `read`. */
  access: choice('read', 'write', 'admin'),
});
export type CallerSettings = z.infer<typeof CallerSettings>;

/** The whole settings document. */
export const Settings = section({
  databases: named(alias, DatabaseSettings, 'a mapping of aliases').refine(
    (all) => Object.keys(all).length > 0,
    'at least one alias',
  ),
  callers: named(CallerName, CallerSettings, 'a mapping of callers').default({}),
  /** Every caller is admin, without a key. */
  allowAnonymous: flag.default(false),
  server: ServerSettings.prefault({}),
  secrets: SecretsSettings.prefault({}),
  /** Limits of database servers, shared by the aliases on each. By `host:port`, or `host` at port 3306. */
  servers: named(
    text(SERVER_NAME, 'host:port, or a host'),
    section({ maxConnections: integer(1) }),
    'a mapping of servers',
  ).optional(),
});
export type Settings = z.infer<typeof Settings>;
