import { METHODS } from 'node:http';
import { expect, test } from 'vitest';
import { eventually, raw } from '../../support/http.ts';
import { useBroker } from '../../support/use-broker.ts';

const { broker } = await useBroker();

/** Sends a request without a body. What comes back must be one reply in the broker's form. */
async function ask(requestLine: string, ...headers: string[]): Promise<object> {
  const lines = [`${requestLine} HTTP/1.1`, 'x-request-id: odd', 'connection: close', ...headers];
  const reply = await raw(broker.url, `${lines.join('\r\n')}\r\n\r\n`);
  const [head = '', body = ''] = reply.split('\r\n\r\n');
  expect(head).toMatch(/^x-request-id: odd$/m);
  expect(head).toMatch(/^content-type: application\/json; charset=utf-8$/m);
  const { error } = JSON.parse(body) as { error: { code: string; requestId: string } };
  expect(error.requestId).toBe('odd');
  return { status: Number(head.split(' ')[1]), code: error.code, allow: /^allow: (.*)$/m.exec(head)?.[1] };
}

test.each([
  ['GET /v1/databases/%zz', 400, 'INVALID_REQUEST'],
  ['OPTIONS *', 404, 'NOT_FOUND'],
  [`POST /v1/databases/${'a'.repeat(200)}/query`, 404, 'NOT_FOUND'],
  ['QUERY /nowhere', 404, 'NOT_FOUND'],
  ['PROPFIND /nowhere', 404, 'NOT_FOUND'],
])('%s is answered %i in the form of any other failure', async (requestLine, status, code) => {
  expect(await ask(requestLine, 'host: localhost')).toMatchObject({ status, code });
});

test('an address that cannot be read has its line in the log and its place in the metrics', async () => {
  await ask('GET /unreadable/%zz', 'host: localhost');
  const lines = await eventually(
    async () => broker.logs.filter((line) => line.includes('"reqId":"odd"') && line.includes('"request"')),
    (found) => found.length > 0,
  );
  expect(JSON.parse(lines.at(-1) ?? '{}')).toMatchObject({ status: 400, code: 'INVALID_REQUEST' });
  expect(await raw(broker.url, 'GET /metrics HTTP/1.1\r\nconnection: close\r\n\r\n')).toMatch(
    /^broker_errors_total\{database="",code="INVALID_REQUEST"\} [1-9]/m,
  );
});

/** How many failures the metrics have that belong to no database. */
async function failures(code: string): Promise<number> {
  const metrics = await raw(broker.url, 'GET /metrics HTTP/1.1\r\nconnection: close\r\n\r\n');
  return Number(metrics.split(`\nbroker_errors_total{database="",code="${code}"} `)[1]?.split('\n')[0] ?? 0);
}

test.each([
  ['CONNECT', 'CONNECT example.com:443 HTTP/1.1', 405, 'METHOD_NOT_ALLOWED'],
  ['bytes that are no HTTP', '\x16\x03 example.com', 400, 'INVALID_REQUEST'],
  [
    'headers beyond the bound',
    `GET / HTTP/1.1\r\nx: ${'example.com'.repeat(2_000)}`,
    431,
    'HEADERS_TOO_LARGE',
  ],
])(
  '%s: a line in the log and a place in the metrics, without what was sent',
  async (_, bytes, status, code) => {
    const before = await failures(code);
    const reply = await raw(broker.url, `${bytes}\r\n\r\n`);
    const reqId = /^x-request-id: (.*)$/m.exec(reply)?.[1];
    const lines = broker.logs.filter((line) => line.includes(`"reqId":"${reqId}"`));
    expect(lines.map((line) => JSON.parse(line) as object)).toEqual([
      expect.objectContaining({ level: 30, status, code, address: '127.0.0.1' }),
    ]);
    expect(broker.logs.join('')).not.toContain('example.com');
    expect(await failures(code)).toBe(before + 1);
  },
);

test.each([
  ['a whole URL, as if to a proxy', 'GET http://example.com/readyz?alias=default', 200],
  ['letters of the path in percents', 'GET /%72eadyz?alias=default', 200],
  ['a database in percents', 'GET /v1/databases/%64efault', 401],
  ['a slash in percents, which is none', 'GET /v1%2Fdatabases', 404],
  ['nothing where a database belongs', 'POST /v1/databases//query', 404],
  ['a slash behind the path', 'GET /readyz/', 404],
  ['a path that goes on', 'GET /readyz/more', 404],
  ['a path in capitals', 'GET /READYZ', 404],
])('%s', async (_, requestLine, status) => {
  const reply = await raw(broker.url, `${requestLine} HTTP/1.1\r\nconnection: close\r\n\r\n`);
  expect(reply).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
});

/** More than the broker takes, and more than sockets hold on their way. */
const LARGE = 'x'.repeat(16_000_000);

test.each([
  ['at once', `content-length: ${LARGE.length}\r\n\r\n${LARGE}`],
  ['in chunks', `transfer-encoding: chunked\r\n\r\n${LARGE.length.toString(16)}\r\n${LARGE}\r\n0\r\n\r\n`],
])('a body beyond the bound, sent %s, is answered, and the connection serves on', async (_, rest) => {
  const head = 'POST /v1/databases/default/query HTTP/1.1\r\ncontent-type: application/json\r\n';
  const key = `authorization: Bearer ${broker.keys.writer}\r\n`;
  const next = 'GET /healthz HTTP/1.1\r\nconnection: close\r\n\r\n';
  const replies = await raw(broker.url, `${head}${key}${rest}${next}`);
  expect(replies.match(/HTTP\/1.1 \d+/g)).toEqual(['HTTP/1.1 413', 'HTTP/1.1 200']);
});

test('a request without a Host is served', async () => {
  expect(await ask('GET /v1/databases')).toMatchObject({ status: 401, code: 'UNAUTHENTICATED' });
});

test('an expectation that the broker does not know is 400', async () => {
  expect(await ask('GET /healthz', 'host: localhost', 'expect: foo')).toMatchObject({
    status: 400,
    code: 'INVALID_REQUEST',
  });
});

test('CONNECT is 405', async () => {
  expect(await ask('CONNECT example.com:443', 'host: localhost')).toMatchObject({
    status: 405,
    code: 'METHOD_NOT_ALLOWED',
  });
});

// HEAD is answered where GET is; elsewhere it is refused like these, without a body as HTTP has it.
const OTHERS = METHODS.filter((method) => !['CONNECT', 'GET', 'HEAD', 'POST'].includes(method));

test.each(OTHERS)('%s on a known address is 405 for anybody', async (method) => {
  const refused = { status: 405, code: 'METHOD_NOT_ALLOWED' };
  expect(await ask(`${method} /v1/databases/default/query`, 'host: localhost')).toEqual({
    ...refused,
    allow: 'POST',
  });
  expect(await ask(`${method} /healthz`, 'host: localhost')).toEqual({ ...refused, allow: 'GET, HEAD' });
});
