import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Broker, buildBroker } from '../../../lib/broker/build-broker.ts';
import { parseSettings } from '../../../lib/settings/parse-settings.ts';
import { http } from '../../support/http.ts';

/** Everybody may do everything: whatever a page could send would be done. */
const SETTINGS = {
  databases: { default: { host: 'nowhere', database: 'd', credentials: { username: 'u', password: 'p' } } },
  allowAnonymous: true,
};
/** What browsers send of a page's own accord: with Fetch Metadata, and as browsers do that know none. */
const PAGES = {
  'of another origin': { origin: 'http://evil.example', 'sec-fetch-site': 'cross-site' },
  'of another port of this machine': { origin: 'http://localhost:5173', 'sec-fetch-site': 'same-site' },
  'that hides its origin': { origin: 'null', 'sec-fetch-site': 'cross-site' },
  'in an older browser': { origin: 'http://evil.example' },
  'in a frame of another page': {
    'sec-fetch-site': 'cross-site',
    'sec-fetch-mode': 'navigate',
    'sec-fetch-dest': 'iframe',
  },
};
const PATHS = ['/healthz', '/readyz', '/metrics', '/openapi.json', '/v1/databases', '/nowhere'];

let broker: Broker;
let url: string;

const NOBODY = { find: () => undefined, status: () => new Map() };

async function listen(host: string): Promise<{ readonly broker: Broker; readonly url: string }> {
  const started = buildBroker(parseSettings(SETTINGS), NOBODY, {
    level: 'silent',
    stream: { write: () => {} },
  });
  return { broker: started, url: await started.app.listen({ host, port: 0 }) };
}

beforeAll(async () => {
  ({ broker, url } = await listen('127.0.0.1'));
});

afterAll(async () => {
  await broker.app.close();
});

async function isPaused(): Promise<boolean> {
  const { text } = await http(`${url}/v1/databases/default`);
  return /"paused":true|"state":"paused"/.test(text);
}

describe.each(Object.entries(PAGES))('a page %s', (_page, headers) => {
  test.each([
    ['a POST without a body, as of a form', 'POST', {}],
    ['a POST of text/plain, which needs no preflight', 'POST', { 'content-type': 'text/plain' }],
    [
      'a preflight',
      'OPTIONS',
      { 'access-control-request-method': 'POST', 'access-control-request-headers': 'content-type' },
    ],
  ])('does nothing by %s, and may read nothing', async (_kind, method, more) => {
    const reply = await http(`${url}/v1/databases/default/pause`, {
      method,
      headers: { ...headers, ...more },
    });

    expect(reply.status).toBe(403);
    expect(reply.json()).toMatchObject({
      error: { code: 'FORBIDDEN', message: expect.stringContaining('No web page of another origin') },
    });
    expect(Object.keys(reply.headers).filter((name) => name.startsWith('access-control'))).toEqual([]);
    expect(await isPaused()).toBe(false);
  });

  test.each(PATHS)('gets nothing of %s', async (path) => {
    expect((await http(`${url}${path}`, { headers })).status).toBe(403);
  });
});

test.each(['evil.example', 'evil.example:8080', 'localhost.evil.example', '127.0.0.1.evil.example', '[::2]'])(
  'a page that was loaded by the name %j, which leads here too, is refused at every address',
  async (host) => {
    for (const path of PATHS) {
      const reply = await http(`${url}${path}`, { headers: { host, 'sec-fetch-site': 'same-origin' } });
      expect([path, reply.status]).toEqual([path, 403]);
      expect(reply.text).toContain('must be localhost, 127.0.0.1 or [::1]');
    }
  },
);

test.each(['localhost', 'LOCALHOST:8080', '127.0.0.1:1', '127.8.9.10', '[::1]:8080'])(
  'a program that asks by the name %s is served',
  async (host) => {
    expect((await http(`${url}/v1/databases`, { headers: { host } })).status).toBe(200);
  },
);

test.each([
  ['the user', { 'sec-fetch-site': 'none', 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'document' }],
  ['a link', { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'document' }],
  ['a page of the broker itself', { 'sec-fetch-site': 'same-origin', 'sec-fetch-mode': 'cors' }],
])('what %s opens is served', async (_who, headers) => {
  expect((await http(`${url}/v1/databases`, { headers })).status).toBe(200);
});

test('a page of the broker itself may send, in an older browser too', async () => {
  const headers = { origin: url };
  for (const action of ['pause', 'resume']) {
    const reply = await http(`${url}/v1/databases/default/${action}`, { method: 'POST', headers });
    expect(reply.status).toBe(200);
    expect(await isPaused()).toBe(action === 'pause');
  }
});

test.each([
  ['::1', 403],
  ['localhost', 403],
  ['127.0.0.2', 403],
  ['0.0.0.0', 200],
  ['::', 200],
])('where the broker listens at %s, a foreign name is answered %i', async (host, status) => {
  const other = await listen(host);
  const { port } = new URL(other.url);
  const at = { '::1': '[::1]', localhost: 'localhost', '127.0.0.2': '127.0.0.2' }[host] ?? '127.0.0.1';
  try {
    const headers = { host: 'broker.internal' };
    expect((await http(`http://${at}:${port}/healthz`, { headers })).status).toBe(status);
  } finally {
    await other.broker.app.close();
  }
});
