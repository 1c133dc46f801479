import { describe, expect, test } from 'vitest';
import { parseSettings } from '../../lib/settings/parse-settings.ts';
import { serverLimitOf } from '../../lib/settings/servers.ts';
import { documentWith, problemsWith } from './support/documents.ts';
import { problemsOf } from './support/problems-of.ts';

const servers = (maxConnections: number, name = 'db.internal') => ({
  servers: { [name]: { maxConnections } },
});
const on = { host: 'db.internal', port: 3306 };

describe('an alias is on the limited server', () => {
  test.each([
    ['db.internal', on],
    ['db.internal:3306', { host: 'DB.internal' }],
    ['db.internal:3307', { host: 'db.internal', port: 3307 }],
  ])('%s with %j', (name, endpoint) => {
    expect(serverLimitOf({ [name]: { maxConnections: 20 } }, endpoint)).toEqual({ name, maxConnections: 20 });
  });

  test.each([
    ['db.internal', { host: 'db.internal', port: 3307 }],
    ['db.internal:3307', on],
    ['db.internal', { host: undefined }],
  ])('not %s with %j', (name, endpoint) => {
    expect(serverLimitOf({ [name]: { maxConnections: 20 } }, endpoint)).toBeUndefined();
  });
});

test('servers that aliases are on are accepted', () => {
  expect(parseSettings(documentWith(on, servers(20))).servers).toEqual({
    'db.internal': { maxConnections: 20 },
  });
});

test('inline credentials need no port', () => {
  const database = { host: 'db.internal', credentials: { username: 'app', password: 'x' } };
  expect(parseSettings(documentWith(database, servers(20))).servers).toBeDefined();
});

test('a token of IAM needs no port: no secret could bring one', () => {
  const database = { host: 'db.internal', credentials: { iam: { username: 'app' } } };
  expect(parseSettings(documentWith(database, servers(20))).servers).toBeDefined();
});

test.each([{ secretId: 'prod/shop' }, { file: 'shop.json' }])(
  '%j may bring a port, so it is asked for',
  (credentials) => {
    expect(problemsWith({ host: 'db.internal', credentials }, servers(20))).toEqual([
      'databases.default.port: found nothing, allowed a port, because servers limits its connections',
    ]);
  },
);

describe('refused is', () => {
  test('a limit of nothing', () => {
    expect(problemsWith(on, servers(0))).toEqual([
      'servers.db.internal.maxConnections: found 0, allowed an integer of at least 1',
    ]);
  });

  test.each(['db.internal:3306', '10.0.0.1:3306', '::1', 'fe80::1%eth0:3306', `${'d'.repeat(200)}:3306`])(
    'a limit of nothing, by the name of its server: %s',
    (name) => {
      expect(problemsWith(on, servers(0, name))).toContain(
        `servers.${name}.maxConnections: found 0, allowed an integer of at least 1`,
      );
    },
  );

  test('a name that is none, without showing it', () => {
    expect(problemsWith(on, servers(1, 'mysql://db:3306'))).toEqual([
      'servers.?: found another name, allowed host:port, or a host',
    ]);
  });

  test('a limit of a server that no alias is on', () => {
    expect(problemsWith(on, servers(20, 'elsewhere'))).toEqual([
      'servers.elsewhere: found no alias on it, allowed host:port of an alias, or host at 3306',
    ]);
  });

  test('an alias that leaves its server to its secret, while servers are limited', () => {
    expect(problemsWith({}, servers(20))).toEqual([
      'databases.default.host: found nothing, allowed a host, because servers limits its connections',
      'databases.default.port: found nothing, allowed a port, because servers limits its connections',
      'servers.db.internal: found no alias on it, allowed host:port of an alias, or host at 3306',
    ]);
  });

  test('a limit below what its aliases keep open', () => {
    const pool = { size: 3, minIdle: 3 };
    const credentials = { secretId: 'prod/shop' };
    const databases = { one: { ...on, credentials, pool }, two: { ...on, credentials, pool } };
    expect(problemsOf(() => parseSettings({ ...documentWith(on, servers(5)), databases }))).toContain(
      'servers.db.internal.maxConnections: found 5, allowed at least the sum of minIdle of the aliases on it, which is 6',
    );
  });

  test('a pool of a size that its server does not bear', () => {
    expect(problemsWith({ ...on, pool: { size: 6 } }, servers(5))).toEqual([
      'databases.default.pool.size: found 6, allowed at most maxConnections of its server, which is 5',
    ]);
  });
});

describe('among tasks', () => {
  const credentials = { secretId: 'prod/shop' };

  test('what a server bears is divided, rounded down', () => {
    const document = documentWith({ ...on, credentials, pool: { size: 6 } }, servers(20));
    expect(parseSettings(document, { peakTasks: 3 }).servers).toEqual({
      'db.internal': { maxConnections: 6 },
    });
  });

  test('a pool must fit into the share of its task', () => {
    const document = documentWith({ ...on, credentials, pool: { size: 7 } }, servers(20));
    expect(problemsOf(() => parseSettings(document, { peakTasks: 3 }))).toEqual([
      'databases.default.pool.size: found 7, allowed at most what a task may open on its server, which is 6 (20 for 3 tasks)',
    ]);
  });

  test('what all tasks keep open must fit into what the server bears', () => {
    const document = documentWith({ ...on, credentials, pool: { size: 5, minIdle: 4 } }, servers(20));
    const databases = { one: document.databases.default, two: document.databases.default };
    expect(problemsOf(() => parseSettings({ ...document, databases }, { peakTasks: 4 }))).toContain(
      'servers.db.internal.maxConnections: found 20, allowed at least the sum of minIdle of the aliases on it in 4 tasks, which is 32',
    );
  });
});
