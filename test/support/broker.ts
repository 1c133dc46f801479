import { createHash } from 'node:crypto';
import { Deadline } from '../../lib/async/deadline.ts';
import { type Broker, buildBroker } from '../../lib/broker/build-broker.ts';
import { CallerKeys } from '../../lib/credentials/caller-keys.ts';
import { Result } from '../../lib/protocol/query.ts';
import { parseSettings } from '../../lib/settings/parse-settings.ts';
import type { TestDatabase } from './database/database.ts';
import { type HttpReply, http } from './http.ts';

/** Keys of callers with each access. `reader` may use only `default`. */
const KEYS = { reader: 'reader-key', writer: 'writer-key', admin: 'admin-key' } as const;

export interface TestBroker {
  readonly url: string;
  readonly keys: typeof KEYS;
  readonly broker: Broker;
  /** What it logged so far. */
  readonly logs: readonly string[];
  queryUrl(alias?: string): string;
  headers(key?: string): Record<string, string>;
  post(path: string, body: unknown, key?: string): Promise<HttpReply>;
  /** A query as the writer that must succeed. */
  query(sql: string, params?: unknown): Promise<Result>;
  stop(): Promise<void>;
}

export interface TestBrokerOptions {
  readonly server?: object;
  readonly secrets?: object;
  /** Limits the test's server. */
  readonly maxServerConnections?: number;
  readonly databases?: Readonly<Record<string, DatabaseOverrides>>;
}

/** Settings of an alias; those of its pool may stand beside the others for short. */
export interface DatabaseOverrides {
  readonly maxOverflow?: number;
  /** Where the database is to be reached instead; undefined: where the secret says. */
  readonly host?: string | undefined;
  readonly port?: number | undefined;
  readonly database?: string;
  readonly credentials?: object;
  readonly tls?: unknown;
  readonly pool?: object;
  readonly limits?: object;
  readonly transactions?: object;
  readonly statistics?: object;
  readonly session?: object;
  readonly idempotency?: object;
  readonly exposeMysqlMessages?: boolean;
}

const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');

/** A settings document for the test's database, with a caller for each access. */
export function settingsFor({ server, app }: TestDatabase, overrides: TestBrokerOptions = {}): object {
  const databases = Object.entries({ default: {}, ...overrides.databases }).map(
    ([alias, { maxOverflow, pool, ...rest }]: [string, DatabaseOverrides]) => [
      alias,
      {
        host: server.host,
        port: server.port,
        database: app.database,
        credentials: { username: app.user, password: app.password },
        tls: 'off',
        pool: { ...pool, ...(maxOverflow === undefined ? {} : { maxOverflow }) },
        ...rest,
      },
    ],
  );
  return {
    databases: Object.fromEntries(databases),
    callers: {
      reader: { keySha256: sha256(KEYS.reader), databases: ['default'], access: 'read' },
      writer: { keySha256: sha256(KEYS.writer), databases: ['*'], access: 'write' },
      admin: { keySha256: sha256(KEYS.admin), databases: ['*'], access: 'admin' },
    },
    server: { drainDelayMs: 0, ...overrides.server },
    secrets: { ...overrides.secrets },
    ...(overrides.maxServerConnections === undefined
      ? {}
      : {
          servers: { [`${server.host}:${server.port}`]: { maxConnections: overrides.maxServerConnections } },
        }),
  };
}

/** The broker in this process, listening on a free port. */
export async function startTestBroker(
  database: TestDatabase,
  overrides: TestBrokerOptions = {},
): Promise<TestBroker> {
  const settings = parseSettings(settingsFor(database, overrides));
  const callers = new CallerKeys(settings);
  const logs: string[] = [];
  const broker = buildBroker(settings, callers, {
    level: 'debug',
    stream: { write: (line) => logs.push(line) },
  });
  const url = await broker.app.listen({ host: '127.0.0.1', port: 0 });
  broker.pools.start();
  broker.lifecycle.enter('serving');

  const queryUrl = (alias = 'default') => `${url}/v1/databases/${alias}/query`;
  const headers = (key: string = KEYS.writer) => ({
    authorization: `Bearer ${key}`,
    'content-type': 'application/json',
  });
  const post = async (path: string, body: unknown, key?: string) =>
    await http(`${url}${path}`, { headers: headers(key), body: JSON.stringify(body) });
  return {
    url,
    keys: KEYS,
    broker,
    logs,
    queryUrl,
    headers,
    post,
    query: async (sql, params) => {
      const reply = await post('/v1/databases/default/query', {
        sql,
        ...(params === undefined ? {} : { params }),
      });
      if (reply.status !== 200) throw new Error(`${reply.status} ${reply.text}`);
      return Result.parse(reply.json());
    },
    stop: async () => {
      await broker.pools.drain(Deadline.after(5_000));
      await broker.app.close();
    },
  };
}
