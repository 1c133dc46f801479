import { gzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { http, raw } from '../../support/http.ts';
import { useBroker } from '../../support/use-broker.ts';

const { broker } = await useBroker({ server: { bodyLimitBytes: 1_000 } });

const JSON_TYPE = 'application/json; charset=utf-8';
const STREAM_TYPE = 'application/x-ndjson; charset=utf-8';
const body = JSON.stringify({ sql: 'SELECT 1' });

test.each([
  ['application/x-ndjson', STREAM_TYPE],
  ['Application/X-NDJSON; charset=utf-8', STREAM_TYPE],
  ['application/x-ndjson;q=0.1', STREAM_TYPE],
  ['application/json, application/x-ndjson', STREAM_TYPE],
  ['application/x-ndjson, */*;q=0.1', STREAM_TYPE],
  ['application/x-ndjson, */*', STREAM_TYPE],
  ['text/html;a="x,y;q=0", application/x-ndjson', STREAM_TYPE],
  ['application/json;q=0, */*', STREAM_TYPE],
  ['application/x-ndjson;q=0', JSON_TYPE],
  ['application/x-ndjson; q=0.000, */*', JSON_TYPE],
  ['application/x-ndjson;Q=0', JSON_TYPE],
  ['application/json, application/x-ndjson;q=0.5', JSON_TYPE],
  ['application/x-ndjson;q=0.5, application/*', JSON_TYPE],
  ['*/*', JSON_TYPE],
  ['application/*', JSON_TYPE],
  ['text/html', JSON_TYPE],
  ['text/html;a="application/x-ndjson,application/x-ndjson"', JSON_TYPE],
])('a caller that accepts %s gets %s', async (accept, type) => {
  const reply = await http(broker.queryUrl(), { headers: { ...broker.headers(), accept }, body });
  expect([reply.status, reply.headers['content-type']]).toEqual([200, type]);
});

test.each(['/healthz', '/readyz', '/metrics', '/openapi.json', '/v1/databases'])(
  'HEAD %s is answered as GET is, without the body',
  async (path) => {
    const headers = `host: localhost\r\nauthorization: Bearer ${broker.keys.admin}\r\nconnection: close\r\n`;
    const [head, get] = await Promise.all(
      ['HEAD', 'GET'].map((method) => raw(broker.url, `${method} ${path} HTTP/1.1\r\n${headers}\r\n`)),
    );
    const fixed = (reply = '') => reply.split('\r\n\r\n')[0]?.match(/^(?:HTTP.*|content-type: .*)$/gim);
    expect(fixed(head)).toEqual(fixed(get));
    expect(head).toMatch(/^HTTP\/1\.1 200 [\s\S]*^content-length: \d{2,}/m);
    expect(head?.split('\r\n\r\n')[1]).toBe('');
  },
);

test('HEAD needs the access that GET needs', async () => {
  expect(await raw(broker.url, 'HEAD /v1/databases HTTP/1.1\r\nconnection: close\r\n\r\n')).toMatch(
    /^HTTP\/1\.1 401 /,
  );
});

test.each(['gzip', 'br', 'identity, gzip'])('a body in content-encoding %s is 415', async (encoding) => {
  const headers = { ...broker.headers(), 'content-encoding': encoding };
  const reply = await http(broker.queryUrl(), { headers, body: gzipSync(body) });
  expect([reply.status, reply.headers['accept-encoding'], reply.json()]).toMatchObject([
    415,
    'identity',
    {
      error: { code: 'UNSUPPORTED_MEDIA_TYPE', message: expect.stringMatching(/content-encoding.*identity/) },
    },
  ]);
});

test('a body in content-encoding identity is read', async () => {
  const headers = { ...broker.headers(), 'content-encoding': 'identity' };
  expect((await http(broker.queryUrl(), { headers, body })).status).toBe(200);
});

const post = (more: string) =>
  `POST /v1/databases/default/query HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n` +
  `content-type: application/json\r\nexpect: 100-continue\r\n${more}`;

test('a caller that waits for 100 is told to go on when its body is wanted', async () => {
  const key = `authorization: Bearer ${broker.keys.writer}\r\n`;
  const replies = await raw(broker.url, post(`${key}content-length: ${body.length}\r\n\r\n${body}`));
  expect(replies.match(/^HTTP\/1\.1 \d+/gm)).toEqual(['HTTP/1.1 100', 'HTTP/1.1 200']);
});

test.each([
  ['401', 'content-length: 10\r\n\r\n'],
  ['413', `authorization: Bearer ${broker.keys.writer}\r\ncontent-length: 1001\r\n\r\n`],
])('and not for a body that is refused with %s', async (status, more) => {
  const replies = await raw(broker.url, post(more));
  expect(replies.match(/^HTTP\/1\.1 \d+/gm)).toEqual([`HTTP/1.1 ${status}`]);
});
