import { describe, expect, test } from 'vitest';
import { useFunctions } from '../../support/lambda/function-scene.ts';
import { ask, post } from '../../support/lambda/http-answer.ts';
import { nodeRuntimes } from '../../support/lambda/node-runtimes.ts';

/** More than Lambda can answer: the setting is an operator's to make. */
const MORE_THAN_LAMBDA = { limits: { maxResultBytes: 20_000_000 } };
const { database, start } = await useFunctions({ databases: { generous: MORE_THAN_LAMBDA } });
await database.admin.query('CREATE TABLE app.digits (d INT)');
await database.admin.query('INSERT INTO app.digits VALUES (0), (1), (2), (3), (4), (5), (6), (7), (8), (9)');

const textOf = (length: number) => ({ sql: `SELECT REPEAT('x', ${length}) AS text` });
const generous = { pathParameters: { alias: 'generous' } };

describe.each(await nodeRuntimes())('on Node.js $version', ({ node }) => {
  test('over HTTP a large result comes in base64, with its status and headers', async () => {
    await using query = await start('query', { node });

    const small = await ask(query, post('query', textOf(2_000_000)));
    const large = await ask(query, post('query', textOf(4_400_000)));

    expect(small).toMatchObject({ statusCode: 200, isBase64Encoded: false });
    expect(large).toMatchObject({
      statusCode: 200,
      headers: { 'content-type': 'application/json' },
      body: { rows: [[expect.toSatisfy((text: string) => text.length === 4_400_000)]] },
      isBase64Encoded: true,
    });
  });

  test('over HTTP a result whose every character doubles in the reply still fits', async () => {
    await using query = await start('query', { node });
    const statement = { sql: `SELECT REPEAT('"', 1490000) AS text` };
    expect(await ask(query, post('query', statement))).toMatchObject({
      statusCode: 200,
      isBase64Encoded: false,
    });
  });

  test.each([6_291_556, 15_000_000])(
    'over HTTP a result of %i bytes is RESULT_TOO_LARGE and not an error of Lambda',
    async (bytes) => {
      await using query = await start('query', { node });
      expect(await ask(query, post('query', textOf(bytes), generous))).toMatchObject({
        statusCode: 422,
        body: { error: { code: 'RESULT_TOO_LARGE', limit: { name: 'lambdaReplyBytes' } } },
      });
    },
  );

  test('invoked directly it answers a result that just fits', async () => {
    await using query = await start('query', { node });
    expect(await query.invoke({ database: 'generous', ...textOf(6_291_000) })).toMatchObject({
      payload: { rows: [[expect.toSatisfy((text: string) => text.length === 6_291_000)]] },
    });
  });

  test.each([
    ['is just over 6 MB', 'generous', textOf(6_291_556)],
    // 1e20 as MySQL prints it; 100000000000000000000 as JavaScript does.
    [
      'grows beyond 6 MB when it is printed again',
      'default',
      {
        sql: `SELECT ${Array.from({ length: 60 }, () => '1e20').join(', ')}
          FROM digits a, digits b, digits c, digits d LIMIT 7000`,
      },
    ],
  ])(
    'invoked directly a result that %s is RESULT_TOO_LARGE and not an error of Lambda',
    async (_, alias, statement) => {
      await using query = await start('query', { node });
      expect(await query.invoke({ database: alias, ...statement })).toMatchObject({
        error: { errorType: 'RESULT_TOO_LARGE' },
      });
    },
  );

  test('a transaction whose results together are over 6 MB is RESULT_TOO_LARGE too', async () => {
    await using transaction = await start('transaction', { node });
    const statements = [textOf(3_200_000), textOf(3_200_000)];
    expect(await transaction.invoke({ database: 'generous', statements })).toMatchObject({
      error: { errorType: 'RESULT_TOO_LARGE' },
    });
    expect(await ask(transaction, post('transaction', { statements }, generous))).toMatchObject({
      statusCode: 422,
      body: { error: { code: 'RESULT_TOO_LARGE', outcome: 'unknown' } },
    });
  });
});
