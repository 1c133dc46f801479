import { expect, test } from 'vitest';
import { raw } from '../support/http.ts';
import { useBroker } from '../support/use-broker.ts';

const { broker } = await useBroker();

test('a broker on its way out hangs up on nobody who still sends', async () => {
  broker.broker.lifecycle.enter('leaving');
  const body = 'x'.repeat(16_000_000);
  const head = 'POST /v1/databases/default/query HTTP/1.1\r\ncontent-type: application/json\r\n';
  const key = `authorization: Bearer ${broker.keys.writer}\r\n`;
  const next = 'GET /healthz HTTP/1.1\r\n\r\n';
  const replies = await raw(broker.url, `${head}${key}content-length: ${body.length}\r\n\r\n${body}${next}`);
  expect(replies.match(/HTTP\/1.1 \d+|^connection: .*/gim)).toEqual([
    'HTTP/1.1 413',
    'Connection: keep-alive',
    'HTTP/1.1 200',
    expect.stringMatching(/^connection: close$/i),
  ]);
});
