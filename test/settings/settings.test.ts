import { describe, expect, test } from 'vitest';
import { parseSettings } from '../../lib/settings/parse-settings.ts';
import { documentWith, KEY, problemsWith } from './support/documents.ts';
import { problemsOf } from './support/problems-of.ts';

test('a document that states the least gets the defaults of the contract', () => {
  expect(parseSettings(documentWith())).toEqual({
    databases: {
      default: {
        credentials: { secretId: 'prod/shop' },
        tls: 'verify',
        session: { sqlMode: 'STRICT_TRANS_TABLES', timeZone: '+00:00', variables: {} },
        pool: {
          size: 10,
          maxOverflow: 10,
          checkoutTimeoutMs: 5_000,
          recycleAfterMs: 119_000,
          maxWaiting: 1_000,
          idleTimeoutMs: 600_000,
          minIdle: 0,
          prePing: true,
          prePingAfterIdleMs: 500,
          healthCheckIntervalMs: 30_000,
          order: 'lifo',
          resetOnCheckin: 'auto',
          maxPipelined: 8,
          pipelineFasterThanMs: 5,
        },
        limits: {
          queryTimeoutMs: 30_000,
          maxRows: 100_000,
          maxResultBytes: 4_500_000,
          maxStatementBytes: 16_777_216,
          maxRowBytes: 16_777_216,
          streamStallMs: 20_000,
          maxStreams: 4,
        },
        transactions: { idleTimeoutMs: 10_000, lifetimeMs: 60_000, maxOpen: 10 },
        statistics: { slowMs: 500 },
        exposeMysqlMessages: true,
      },
    },
    callers: { orders: { keySha256: KEY, databases: ['default'], access: 'write' } },
    allowAnonymous: false,
    server: {
      bodyLimitBytes: 4_194_304,
      requestTimeoutMs: 30_000,
      maxConnections: 10_000,
      drainDelayMs: 3_000,
      drainTimeoutMs: 35_000,
      accessLog: 'problems',
    },
    secrets: { refreshIntervalMs: 300_000, minRefreshIntervalMs: 1_000 },
  });
});

test.each([
  [1, 0, 1],
  [1, 1, 1],
  [3, 2, 4],
  [10, 10, 10],
])(
  'with size %i and maxOverflow %i, %i transactions may be open by default',
  (size, maxOverflow, maxOpen) => {
    const { databases } = parseSettings(documentWith({ pool: { size, maxOverflow } }));

    expect(databases.default?.transactions.maxOpen).toBe(maxOpen);
  },
);

test('a key hash is compared in lower case', () => {
  const callers = { orders: { keySha256: 'AB'.repeat(32), databases: ['*'], access: 'read' } };

  expect(parseSettings(documentWith({}, { callers })).callers.orders?.keySha256).toBe('ab'.repeat(32));
});

test.each([
  { tls: 'off' },
  { tls: { ca: './ca.pem' } },
  { tls: { ca: './ca.pem', serverName: 'db.internal' } },
  { credentials: { file: './shop.json' } },
  { credentials: { username: 'app', password: '' } },
  { host: 'db.internal', credentials: { iam: { username: 'app' } } },
  { session: { sqlMode: '', timeZone: 'Europe/Berlin', collation: 'utf8mb4_0900_ai_ci' } },
  { session: { variables: { lock_wait_timeout: 10, transaction_isolation: 'READ-COMMITTED', x: true } } },
  { pool: { recycleAfterMs: 100 } },
])('accepts the database %j', (database) => {
  expect(() => parseSettings(documentWith(database))).not.toThrow();
});

describe('a bad field is refused with one line that says what was found and what is allowed', () => {
  test.each<[object, string]>([
    [{ pool: { size: 0 } }, 'pool.size: found 0, allowed an integer of at least 1'],
    [{ pool: { size: 1.5 } }, 'pool.size: found 1.5, allowed an integer of at least 1'],
    [{ pool: { size: '10' } }, 'pool.size: found a string, allowed an integer of at least 1'],
    [{ pool: { maxOverflow: -1 } }, 'pool.maxOverflow: found -1, allowed an integer of at least 0'],
    [
      { pool: { idleTimeoutMs: 3e9 } },
      'pool.idleTimeoutMs: found 3000000000, allowed an integer of at most 1900000000',
    ],
    [{ pool: { order: 'filo' } }, 'pool.order: found "filo", allowed lifo, fifo'],
    [{ pool: { prePing: 1 } }, 'pool.prePing: found 1, allowed true or false'],
    [{ pool: null }, 'pool: found nothing, allowed a mapping'],
    [{ statistics: { slowMs: -1 } }, 'statistics.slowMs: found -1, allowed an integer of at least 0'],
    [{ port: 65_536 }, 'port: found 65536, allowed an integer of at most 65535'],
    [
      { host: 'mysql://db' },
      'host: found a string, allowed a host name or an IP address, without a port: that is a field of its own',
    ],
    [{ tls: 'maybe' }, 'tls: found "maybe", allowed verify, skip-verify, off, {ca, serverName?}'],
    [{ tls: { ca: 5 } }, 'tls.ca: found 5, allowed the path of a file'],
    [
      { session: { timeZone: '+25:00' } },
      'session.timeZone: found "+25:00", allowed an offset like +00:00 or the name of a time zone',
    ],
    [
      { session: { collation: 'latin1_swedish_ci' } },
      'session.collation: found "latin1_swedish_ci", allowed a collation of utf8mb4',
    ],
    [
      { session: { variables: { x: "a'b" } } },
      'session.variables.x: found a string, allowed a number, true, false, or a string without quotes, backslashes and control characters',
    ],
    [
      { session: { variables: { x: null } } },
      'session.variables.x: found nothing, allowed a number, true, false, or a string without quotes, backslashes and control characters',
    ],
    [
      { session: { variables: { 'X-Y': 1 } } },
      'session.variables.X-Y: found another name, allowed the name of a session variable',
    ],
    [
      { credentials: undefined },
      'credentials: found nothing, allowed exactly one of {secretId}, {file}, {username, password}, {iam: {username}}',
    ],
    [
      { credentials: {} },
      'credentials: found an empty mapping, allowed exactly one of {secretId}, {file}, {username, password}, {iam: {username}}',
    ],
    [
      { credentials: { secretId: 'a', file: 'b' } },
      'credentials: found a mapping, allowed exactly one of {secretId}, {file}, {username, password}, {iam: {username}}',
    ],
    [{ credentials: { username: 'app' } }, 'credentials.password: found nothing, allowed a string'],
    [
      { credentials: { username: 'app', password: 12_345 } },
      'credentials.password: found a number, allowed a string',
    ],
  ])('%j', (database, line) => {
    expect(problemsWith(database)).toEqual([`databases.default.${line}`]);
  });
});

test('an unknown key is named, and the known ones with the nearest first', () => {
  expect(problemsWith({ pool: { siez: 3 } })).toEqual([
    expect.stringMatching(/^databases\.default\.pool\.siez: found an unknown key, allowed size, /),
  ]);
});

test('the log of calls is of problems or of all', () => {
  const problemsFor = (accessLog: unknown) => problemsWith({}, { server: { accessLog } });

  expect(problemsFor('all')).toEqual([]);
  expect(problemsFor('none')).toEqual(['server.accessLog: found "none", allowed problems, all']);
});

test('no alias at all is refused', () => {
  expect(problemsOf(() => parseSettings({ databases: {}, allowAnonymous: true }))).toEqual([
    'databases: found an empty mapping, allowed at least one alias',
  ]);
});

test.each([undefined, null, 'text', []])('the document %j is refused', (document) => {
  expect(problemsOf(() => parseSettings(document))).toEqual([
    expect.stringMatching(/^the document: found .*, allowed a mapping$/),
  ]);
});

test('all problems are told at once, those between sections included', () => {
  const callers = { a: { keySha256: KEY, databases: ['other'], access: 'read' } };
  const lines = problemsWith(
    { pool: { size: 0, order: 'x' }, tls: 3 },
    { callers, server: { drainTimeoutMs: 1 } },
  );

  expect(lines.map((line) => line.split(':')[0])).toEqual([
    'databases.default.tls',
    'databases.default.pool.size',
    'databases.default.pool.order',
    'callers.a.databases.0',
    'server.drainTimeoutMs',
  ]);
});

test('an alias keeps idempotency keys for a day where it keeps them at all', () => {
  const { databases } = parseSettings(documentWith({ idempotency: {} }));

  expect(databases.default?.idempotency).toEqual({ table: 'broker_idempotency', keepMs: 86_400_000 });
});

test.each([
  ...['MSSQL', 'ORACLE', 'DB2', 'MAXDB', 'POSTGRESQL', 'MYSQL323', 'MYSQL40', 'EMPTY_STRING_IS_NULL'],
  ...[
    'STRICT_TRANS_TABLES,MSSQL',
    'ORACLE,STRICT_TRANS_TABLES',
    'GLUB',
    'ansi_quotes',
    "ANSI'",
    'ANSI,',
    'ANSI ANSI',
  ],
])('a sql_mode under which SQL is not read for certain is refused: %s', (sqlMode) => {
  const [line = '', ...others] = problemsWith({ session: { sqlMode } });
  expect(line).toMatch(
    /^databases\.default\.session\.sqlMode: found .+, allowed only modes under which the broker reads SQL as the server does.*: ALLOW_INVALID_DATES, ANSI,/,
  );
  expect(others).toEqual([]);
});

test.each(['', 'ANSI', 'TRADITIONAL,NO_BACKSLASH_ESCAPES', 'STRICT_ALL_TABLES,IGNORE_SPACE'])(
  'a sql_mode that is read for certain is accepted: "%s"',
  (sqlMode) => {
    expect(problemsWith({ session: { sqlMode } })).toEqual([]);
  },
);

test('a bad name hides nothing of what is wrong below it, or elsewhere', () => {
  const document = {
    databases: {
      'Shop!': {
        credentials: { secretId: 'x' },
        pool: { size: 0 },
        session: { variables: { 'X-Y': "quo'te" } },
        limits: { maxRows: 0 },
      },
      good: { credentials: { secretId: 'y' }, limits: { queryTimeoutMs: 60_000 } },
    },
    callers: { '1st': { databases: ['good'], access: 'all' } },
    servers: { 'mysql://db': { maxConnections: 0 } },
  };
  const problems = problemsOf(() => parseSettings(document));
  for (const part of [
    'databases.?: found another name',
    'databases.?.pool.size: found 0',
    'databases.?.limits.maxRows: found 0',
    'databases.?.session.variables.X-Y: found another name',
    'databases.?.session.variables.X-Y: found a string, allowed a number',
    'callers.1st: found another name',
    'callers.1st.access: found',
    'callers.1st: found neither',
    'servers.?: found another name',
    'servers.?.maxConnections: found 0',
    'server.drainTimeoutMs: found 35000',
  ]) {
    expect(
      problems.some((line) => line.startsWith(part)),
      `${part}\n${problems.join('\n')}`,
    ).toBe(true);
  }
});
