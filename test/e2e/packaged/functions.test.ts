import { describe, expect, test } from 'vitest';
import { httpEvent } from '../../functions/support/lambda.ts';
import { useFunctions } from '../../support/lambda/function-scene.ts';
import { ask, post } from '../../support/lambda/http-answer.ts';
import { nodeRuntimes } from '../../support/lambda/node-runtimes.ts';

const { database, broker, secrets, start } = await useFunctions();
await database.admin.query('CREATE TABLE app.greetings (id BIGINT PRIMARY KEY, text VARCHAR(20) UNIQUE)');
await database.admin.query("INSERT INTO app.greetings VALUES (9007199254740993, 'grüße 😀')");

const STATEMENT = {
  sql: 'SELECT id, text FROM greetings WHERE id = ?',
  params: [{ $bigint: '9007199254740993' }],
};
const ROWS = [['9007199254740993', 'grüße 😀']];

describe.each(await nodeRuntimes())('on Node.js $version', ({ node }) => {
  describe('the packaged query function', () => {
    test('answers from its cold start on, over one connection and with a key that it read once', async () => {
      let connections = 0;
      const count = () => {
        connections += 1;
      };
      const callsBefore = secrets.calls.length;
      broker.broker.app.server.on('connection', count);
      await using query = await start('query', { node });

      expect(await ask(query, post('query', STATEMENT))).toMatchObject({
        statusCode: 200,
        body: { rows: ROWS },
      });
      expect(await query.invoke({ database: 'default', ...STATEMENT })).toMatchObject({
        payload: { rows: ROWS },
      });

      broker.broker.app.server.off('connection', count);
      expect({ connections, coldStarts: query.coldStarts }).toEqual({ connections: 1, coldStarts: 1 });
      expect(secrets.calls.slice(callsBefore)).toEqual(['GetSecretValue']);
    });

    test('answers an HTTP event as the broker itself answers', async () => {
      await using query = await start('query', { node });

      const answer = await ask(query, post('query', STATEMENT, { headers: { 'x-request-id': 'mine' } }));

      const { columns } = await broker.query(STATEMENT.sql, STATEMENT.params);
      expect(answer).toEqual({
        statusCode: 200,
        headers: { 'content-type': 'application/json', 'x-request-id': 'mine' },
        body: {
          columns,
          rows: ROWS,
          affectedRows: 0,
          changedRows: 0,
          insertId: null,
          warnings: 0,
          durationMs: expect.any(Number),
          queueMs: expect.any(Number),
        },
        isBase64Encoded: false,
      });
    });

    test('takes a body that comes in base64', async () => {
      const body = Buffer.from(JSON.stringify({ sql: "SELECT 'grüße 😀'" })).toString('base64');
      await using query = await start('query', { node });
      expect(await ask(query, post('query', body, { isBase64Encoded: true }))).toMatchObject({
        statusCode: 200,
        body: { rows: [['grüße 😀']] },
      });
    });

    test('carries bytes of every value there and back', async () => {
      const $bytes = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte)).toString('base64');
      const statement = { sql: 'SELECT ?, CAST(LENGTH(?) AS CHAR)', params: [{ $bytes }, { $bytes }] };
      await using query = await start('query', { node });

      const rows = [[{ $bytes }, '256']];
      expect(await ask(query, post('query', statement))).toMatchObject({ statusCode: 200, body: { rows } });
      expect(await query.invoke({ database: 'default', ...statement })).toMatchObject({ payload: { rows } });
    });
  });

  describe('the packaged transaction function', () => {
    test('does all of its statements, in either shape of event', async () => {
      await database.admin.query('DELETE FROM app.greetings WHERE id < 10');
      const statementsFor = (id: number) => [
        {
          sql: 'INSERT INTO greetings VALUES (?, ?)',
          params: [id, `hello ${id}`],
          expect: { affectedRows: 1 },
        },
        { sql: 'SELECT text FROM greetings WHERE id = ?', params: [id] },
      ];
      await using transaction = await start('transaction', { node });

      const results = [{ affectedRows: 1 }, { rows: [['hello 1']] }];
      expect(await ask(transaction, post('transaction', { statements: statementsFor(1) }))).toMatchObject({
        statusCode: 200,
        body: { results },
      });
      expect(await transaction.invoke({ database: 'default', statements: statementsFor(2) })).toMatchObject({
        payload: { results: [{ affectedRows: 1 }, { rows: [['hello 2']] }] },
      });
    });

    test('does none of them when one fails', async () => {
      const statements = [
        { sql: "INSERT INTO greetings VALUES (11, 'undone')" },
        { sql: "INSERT INTO greetings VALUES (12, 'grüße 😀')" },
      ];
      await using transaction = await start('transaction', { node });

      expect(await transaction.invoke({ database: 'default', statements })).toMatchObject({
        error: { errorType: 'DUPLICATE_KEY' },
      });
      expect((await broker.query('SELECT id FROM greetings WHERE id > 10 AND id < 20')).rows).toEqual([]);
    });
  });

  test("the packaged health function answers with the broker's readiness", async () => {
    await using health = await start('health', { node });
    expect(await ask(health, httpEvent({ routeKey: 'GET /health' }))).toMatchObject({
      statusCode: 200,
      body: { status: 'ready', databases: { default: 'up' } },
    });
  });
});
