import { describe, expect, test } from 'vitest';
import { http, raw } from '../../support/http.ts';
import { useBroker } from '../../support/use-broker.ts';

const { database, broker } = await useBroker({
  server: { requestTimeoutMs: 1_000 },
  databases: { other: { maxOverflow: 0 } },
});

function failureOf(reply: { json(): unknown }): unknown {
  return (reply.json() as { error: unknown }).error;
}

describe('who calls', () => {
  const body = JSON.stringify({ sql: 'SELECT 1' });
  const json = { 'content-type': 'application/json' };

  test('without a key is 401', async () => {
    const reply = await http(broker.queryUrl(), { headers: json, body });
    expect(reply.status).toBe(401);
    expect(failureOf(reply)).toMatchObject({
      code: 'UNAUTHENTICATED',
      retryable: false,
      outcome: 'not_applied',
    });
  });

  test('with a wrong key is 401', async () => {
    const reply = await http(broker.queryUrl(), {
      headers: { ...json, authorization: 'Bearer wrong' },
      body,
    });
    expect(reply.status).toBe(401);
  });

  test('for a database that is not theirs is 403, and 404 if there is none', async () => {
    const forbidden = await broker.post('/v1/databases/other/query', { sql: 'SELECT 1' }, broker.keys.reader);
    expect([forbidden.status, failureOf(forbidden)]).toEqual([
      403,
      expect.objectContaining({ code: 'FORBIDDEN' }),
    ]);
    const unknown = await broker.post('/v1/databases/nowhere/query', { sql: 'SELECT 1' }, broker.keys.reader);
    expect([unknown.status, failureOf(unknown)]).toEqual([
      404,
      expect.objectContaining({ code: 'UNKNOWN_DATABASE' }),
    ]);
  });

  test('without admin access sees no settings', async () => {
    const reply = await http(`${broker.url}/v1/databases`, {
      headers: { authorization: `Bearer ${broker.keys.writer}` },
    });
    expect(reply.status).toBe(403);
  });

  test('with read access cannot write, whatever the statement looks like', async () => {
    await database.admin.query('CREATE TABLE app.kept (n INT)');
    await database.admin.query('CREATE PROCEDURE app.sneak() INSERT INTO kept VALUES (1)');
    for (const sql of [
      'INSERT INTO kept VALUES (1)',
      'DROP TABLE kept',
      'CALL sneak()',
      '/*! DELETE FROM kept */',
    ]) {
      const reply = await broker.post('/v1/databases/default/query', { sql }, broker.keys.reader);
      expect([sql, reply.status]).toEqual([sql, 400]);
    }
    const reply = await broker.post(
      '/v1/databases/default/query',
      { sql: 'INSERT INTO kept VALUES (1)' },
      broker.keys.reader,
    );
    expect(failureOf(reply)).toMatchObject({ code: 'READ_ONLY_VIOLATION', mysql: { errno: 1792 } });
    expect(await database.admin.query('SELECT * FROM app.kept')).toEqual([]);
    expect((await broker.query('INSERT INTO kept VALUES (1)')).affectedRows).toBe(1);
  });
});

describe('a bad request', () => {
  test.each([
    ['malformed JSON', '{"sql": ', 'The body is not valid JSON'],
    ['an empty body', '', 'The body is empty; it must be JSON'],
    ['a body that is no UTF-8', Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x7d]), 'The body is not valid UTF-8'],
    ['no statement', '{}', 'sql must be a string'],
    ['an unknown field', '{"sql":"SELECT 1","sqll":1}', 'the body has the unknown field "sqll"'],
    [
      'an object as a value',
      '{"sql":"SELECT ?","params":[{"toSqlString":"1"}]}',
      /^params\.0 must be null, boolean/,
    ],
    ['an array as a value', '{"sql":"SELECT ?","params":[[1,2]]}', /^params\.0 must be null, boolean/],
    ['an integer beyond 2^53', '{"sql":"SELECT ?","params":[9007199254740993]}', /beyond 2\^53/],
    [
      'an empty list',
      '{"sql":"SELECT 1 IN (?)","params":[{"$list":[]}]}',
      'params.0.$list must hold at least one value',
    ],
    [
      'too few values',
      '{"sql":"SELECT ?, ?","params":[1]}',
      'the statement has 2 placeholders, but 1 value was given',
    ],
    ['a value too many', '{"sql":"SELECT 1","params":{"a":1}}', ':a is not in the statement'],
    [
      'a prototype',
      '{"sql":"SELECT 1","__proto__":{"x":1}}',
      'the body has the field "__proto__", which is not allowed',
    ],
    [
      'values nested without end',
      `{"sql":"SELECT ?","params":${'['.repeat(9_999)}`.concat(']'.repeat(9_999), '}'),
      /^params\.0 must be/,
    ],
  ])('with %s is 400 and says what is wrong', async (_what, body, message) => {
    const reply = await http(broker.queryUrl(), { headers: broker.headers(), body });
    expect(reply.status).toBe(400);
    expect(failureOf(reply)).toMatchObject({
      code: 'INVALID_REQUEST',
      message: typeof message === 'string' ? message : expect.stringMatching(message),
      requestId: reply.headers['x-request-id'],
    });
  });

  test.each([
    'SELECT 1; SELECT 2',
    'SELECT 1; DROP TABLE kept',
    'USE mysql',
    'COMMIT',
    "SET sql_mode = ''",
    'KILL 1',
    'SAVEPOINT a',
    'SELECT @a := 1',
    "DO GET_LOCK('a', 0)",
    'CREATE TEMPORARY TABLE t (a INT)',
    "PREPARE p FROM 'SELECT 1'",
  ])('%j is a statement that nobody may run on a connection of its own', async (sql) => {
    const reply = await broker.post('/v1/databases/default/query', { sql });
    expect([reply.status, failureOf(reply)]).toEqual([
      400,
      expect.objectContaining({ code: 'STATEMENT_NOT_ALLOWED' }),
    ]);
  });

  test('never reaches the database with a smuggled value', async () => {
    await database.admin.query("SET GLOBAL log_output = 'TABLE', GLOBAL general_log = ON");
    await broker.post('/v1/databases/default/query', {
      sql: 'SELECT ? /* marked */',
      params: [{ toSqlString: 'smuggled' }],
    });
    await broker.post('/v1/databases/default/query', { sql: 'SELECT ? /* marked */', params: ['plain'] });
    await database.admin.query('SET GLOBAL general_log = OFF');
    const logged = await database.admin.query(
      "SELECT argument FROM mysql.general_log WHERE argument LIKE '%marked%' AND command_type = 'Query' AND argument NOT LIKE '%general_log%'",
    );
    expect(logged.map((row) => String(row.argument))).toEqual(["SELECT 'plain' /* marked */"]);
  });

  test('larger than the limit is 413', async () => {
    const body = JSON.stringify({ sql: `SELECT '${'x'.repeat(5_000_000)}'` });
    const reply = await http(broker.queryUrl(), { headers: broker.headers(), body });
    expect([reply.status, failureOf(reply)]).toEqual([
      413,
      expect.objectContaining({ code: 'REQUEST_TOO_LARGE' }),
    ]);
  });

  test('of another content type is 415', async () => {
    const headers = { ...broker.headers(), 'content-type': 'text/plain' };
    const reply = await http(broker.queryUrl(), { headers, body: '{"sql":"SELECT 1"}' });
    expect([reply.status, failureOf(reply)]).toEqual([
      415,
      expect.objectContaining({ code: 'UNSUPPORTED_MEDIA_TYPE' }),
    ]);
  });

  test('by another method is 405 and names the right one', async () => {
    const reply = await http(broker.queryUrl(), { method: 'GET', headers: broker.headers() });
    expect([reply.status, reply.headers.allow]).toEqual([405, 'POST']);
    expect(failureOf(reply)).toMatchObject({ code: 'METHOD_NOT_ALLOWED' });
  });

  test('to nowhere is 404', async () => {
    const reply = await http(`${broker.url}/v2/query`, { headers: broker.headers() });
    expect([reply.status, failureOf(reply)]).toEqual([404, expect.objectContaining({ code: 'NOT_FOUND' })]);
  });

  test.each(['soon', '0', '-1', '1.5'])('with x-timeout-ms %j is 400', async (timeout) => {
    const reply = await http(broker.queryUrl(), {
      headers: { ...broker.headers(), 'x-timeout-ms': timeout },
      body: '{"sql":"SELECT 1"}',
    });
    expect([reply.status, failureOf(reply)]).toEqual([
      400,
      expect.objectContaining({ code: 'INVALID_REQUEST' }),
    ]);
  });
});

describe('a sender that', () => {
  test('does not speak HTTP is told so in JSON', async () => {
    const reply = await raw(broker.url, 'hello\r\n\r\n');
    expect(reply).toMatch(/^HTTP\/1\.1 400 /);
    expect(JSON.parse(reply.split('\r\n\r\n')[1] ?? '')).toMatchObject({
      error: { code: 'INVALID_REQUEST' },
    });
  });

  test('sends endless headers is stopped', async () => {
    const reply = await raw(
      broker.url,
      `GET /healthz HTTP/1.1\r\nhost: localhost\r\nx-long: ${'a'.repeat(20_000)}\r\n\r\n`,
    );
    expect(reply).toMatch(/^HTTP\/1\.1 431 /);
    expect(JSON.parse(reply.split('\r\n\r\n')[1] ?? '')).toMatchObject({
      error: { code: 'HEADERS_TOO_LARGE' },
    });
  });

  test('is too slow with its body is stopped', async () => {
    const head = `POST /v1/databases/default/query HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer ${broker.keys.writer}\r\n`;
    const reply = await raw(
      broker.url,
      `${head}content-type: application/json\r\ncontent-length: 100\r\n\r\n{"sql":`,
    );
    expect(reply).toMatch(/^HTTP\/1\.1 408 /);
    expect(JSON.parse(reply.split('\r\n\r\n')[1] ?? '')).toMatchObject({
      error: { code: 'REQUEST_TIMEOUT' },
    });
  });
});

describe('a request id', () => {
  test('is echoed if it is a proper one', async () => {
    const reply = await http(`${broker.url}/healthz`, { headers: { 'x-request-id': 'abc.DEF-1_2' } });
    expect(reply.headers['x-request-id']).toBe('abc.DEF-1_2');
  });

  test('is replaced if it is not', async () => {
    const reply = await http(`${broker.url}/healthz`, { headers: { 'x-request-id': 'a b' } });
    expect(reply.headers['x-request-id']).toMatch(/^[0-9a-f-]{36}$/);
  });
});
