import { expect, test } from 'vitest';
import { StubBroker } from '../support/stub-broker.ts';
import { AWS_REQUEST_ID, contextWith } from './support/lambda.ts';

test("GET /health answers with the broker's readiness, ready or not, and 502 when there is no broker", async () => {
  let status = 200;
  const broker = await StubBroker.start(() => ({ status, json: `{"status": ${status}}` }));
  process.env.BROKER_URL = broker.url.href;
  const { handler } = await import('../../functions/health.ts');

  const ready = await handler({}, contextWith());
  status = 503;
  const notReady = await handler({}, contextWith());
  await broker[Symbol.asyncDispose]();
  // Time for every try: with less, the last one may end by its budget.
  const gone = await handler({}, contextWith(5_000));

  expect(broker.seen.map(({ path }) => path)).toEqual(['/readyz', '/readyz']);
  expect(ready).toMatchObject({ statusCode: 200, body: '{"status": 200}' });
  expect(ready.headers).toMatchObject({ 'x-request-id': AWS_REQUEST_ID });
  expect(notReady).toMatchObject({ statusCode: 503, body: '{"status": 503}' });
  expect(gone).toMatchObject({ statusCode: 502 });
  expect(JSON.parse(gone.body ?? '')).toMatchObject({
    error: { code: 'BROKER_UNREACHABLE', outcome: 'not_applied' },
  });
});
