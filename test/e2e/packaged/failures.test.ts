import { describe, expect, test } from 'vitest';
import { findFreePort } from '../../../infra/local/process/free-port.ts';
import { httpEvent } from '../../functions/support/lambda.ts';
import { http } from '../../support/http.ts';
import { useFunctions } from '../../support/lambda/function-scene.ts';
import { ask, post } from '../../support/lambda/http-answer.ts';
import { nodeRuntimes } from '../../support/lambda/node-runtimes.ts';
import { untilNoneRuns, untilRunning } from '../../support/running-statements.ts';

const { database, broker, start } = await useFunctions();
await database.admin.query('CREATE TABLE app.names (name VARCHAR(20) PRIMARY KEY)');
await database.admin.query("INSERT INTO app.names VALUES ('taken')");
const nowhere = `http://127.0.0.1:${await findFreePort()}`;

interface Statement {
  readonly database?: string;
  readonly sql: string;
  readonly params?: readonly unknown[];
}

describe.each(await nodeRuntimes())('on Node.js $version', ({ node }) => {
  test.each<[code: string, status: number, statement: Statement]>([
    ['SQL_ERROR', 400, { sql: 'SELECT * FROM missing' }],
    ['INVALID_REQUEST', 400, { sql: 'SELECT ?', params: [] }],
    ['STATEMENT_NOT_ALLOWED', 400, { sql: 'SELECT 1; SELECT 2' }],
    ['UNKNOWN_DATABASE', 404, { database: 'other', sql: 'SELECT 1' }],
    ['DUPLICATE_KEY', 409, { sql: "INSERT INTO names VALUES ('taken')" }],
    ['REQUEST_TOO_LARGE', 413, { sql: `SELECT '${'x'.repeat(4_500_000)}'` }],
  ])(
    '%s of the broker is its own answer over HTTP, and the name of the error otherwise',
    async (...failure) => {
      const [code, status, { database: alias = 'default', ...statement }] = failure;
      const headers = { 'x-request-id': 'mine' };
      const own = await http(broker.queryUrl(alias), {
        headers: { ...broker.headers(), ...headers },
        body: JSON.stringify(statement),
      });
      await using query = await start('query', { node });

      const answer = await ask(query, post('query', statement, { headers, pathParameters: { alias } }));
      const { error } = (await query.invoke({ database: alias, ...statement })) as { error?: object };

      expect(answer).toMatchObject({ statusCode: status, body: own.json() });
      expect(answer.body).toMatchObject({ error: { code, requestId: 'mine' } });
      expect(error).toMatchObject({
        errorType: code,
        errorMessage: (own.json() as { error: { message: string } }).error.message,
      });
      expect(query.coldStarts).toBe(1);
    },
  );

  test.each([
    ['over HTTP', true],
    ['invoked directly', false],
  ])('a slow statement is stopped before Lambda ends the function, %s', async (_, isHttp) => {
    const statement = { sql: 'SELECT SLEEP(60)' };
    await using query = await start('query', { node, timeoutMs: 3_000 });

    const asking = query.invoke(isHttp ? post('query', statement) : { database: 'default', ...statement });
    await untilRunning(database, 'SELECT SLEEP(%');
    const answer = await asking;

    expect(answer).toMatchObject(
      isHttp ? { payload: { statusCode: 504 } } : { error: { errorType: 'DEADLINE_EXCEEDED' } },
    );
    expect(JSON.stringify(answer)).toContain('DEADLINE_EXCEEDED');
    await untilNoneRuns(database, 'SELECT SLEEP(%');
    // Lambda did not end it.
    await query.invoke({ database: 'default', sql: 'SELECT 1' });
    expect(query.coldStarts).toBe(1);
  });

  test('without a broker at its address each function says so', async () => {
    const options = { node, timeoutMs: 3_000, replace: { BROKER_URL: nowhere } };
    await using query = await start('query', options);
    await using transaction = await start('transaction', options);
    await using health = await start('health', options);
    const refusal = { statusCode: 502, body: { error: { code: 'BROKER_UNREACHABLE', retryable: true } } };

    expect(await ask(query, post('query', { sql: 'SELECT 1' }))).toMatchObject(refusal);
    expect(await ask(transaction, post('transaction', { statements: [] }))).toMatchObject(refusal);
    expect(await ask(health, httpEvent({ routeKey: 'GET /health' }))).toMatchObject(refusal);
    expect(await query.invoke({ database: 'default', sql: 'SELECT 1' })).toMatchObject({
      error: { errorType: 'BROKER_UNREACHABLE' },
    });
  });

  test.each(['query', 'transaction', 'health'])('without BROKER_URL %s does not start', async (name) => {
    await using fn = await start(name, { node, replace: { BROKER_URL: undefined } });
    expect(await fn.invoke({})).toMatchObject({
      error: {
        errorType: 'BrokerError',
        errorMessage: 'No broker is named: pass url or set BROKER_URL',
      },
    });
  });

  test.each([
    ['that is named nowhere', undefined, 'key'],
    ['whose secret does not exist', 'conn-pool/other-key', 'could not be read from Secrets Manager'],
  ])('without a key, one %s, nothing is answered', async (_, BROKER_KEY_SECRET, message) => {
    await using query = await start('query', { node, replace: { BROKER_KEY_SECRET } });
    const statement = { sql: 'SELECT 1' };

    expect(await ask(query, post('query', statement))).toMatchObject({
      statusCode: 401,
      body: { error: { code: 'UNAUTHENTICATED', message: expect.stringContaining(message) } },
    });
    expect(await query.invoke({ database: 'default', ...statement })).toMatchObject({
      error: { errorType: 'UNAUTHENTICATED' },
    });
  });
});
