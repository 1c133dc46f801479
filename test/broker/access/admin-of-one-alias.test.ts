import { createHash } from 'node:crypto';
import { afterAll, describe, expect, test } from 'vitest';
import { Deadline } from '../../../lib/async/deadline.ts';
import { buildBroker } from '../../../lib/broker/build-broker.ts';
import { CallerKeys } from '../../../lib/credentials/caller-keys.ts';
import { parseSettings } from '../../../lib/settings/parse-settings.ts';
import { settingsFor } from '../../support/broker.ts';
import { startTestDatabase } from '../../support/database/database.ts';
import { http } from '../../support/http.ts';

const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');

/** `half` is admin of `default`; what it must not see or touch is `other`, on a secret of its own. */
const database = await startTestDatabase();
const document = settingsFor(database, {
  databases: { other: { credentials: { secretId: 'prod/other' } } },
});
const callers = {
  half: { keySha256: sha256('half'), databases: ['default'], access: 'admin' },
  whole: { keySha256: sha256('whole'), databases: ['*'], access: 'admin' },
};
const settings = parseSettings({ ...document, callers });
const keys = new CallerKeys(settings);
const broker = buildBroker(settings, keys, { level: 'silent' });
const url = await broker.app.listen({ host: '127.0.0.1', port: 0 });
broker.pools.start();
broker.lifecycle.enter('serving');
afterAll(async () => {
  await broker.pools.drain(Deadline.after(5_000));
  await broker.app.close();
  await database.stop();
});

async function ask(method: string, path: string, key = 'half', body: object = {}) {
  return await http(`${url}${path}`, {
    method,
    headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
    ...(method === 'POST' && { body: JSON.stringify(body) }),
  });
}

interface Operation {
  readonly method: string;
  readonly path: string;
}

/** Every call that the interface has. */
const document31 = (await http(`${url}/openapi.json`)).json() as { paths: Record<string, object> };
const operations: Operation[] = Object.entries(document31.paths).flatMap(([path, methods]) =>
  Object.keys(methods).map((method) => ({ method: method.toUpperCase(), path })),
);
const inPath = (part: string) => operations.filter(({ path }) => path.includes(part));

/** What is no business of one alias: it shows no database, or only names and figures that are open to anybody. */
const OPEN = ['/healthz', '/readyz', '/metrics', '/openapi.json', '/', '/console'];

describe('an admin of one alias', () => {
  test.each(inPath('{alias}'))('may not $method $path of another', async ({ method, path }) => {
    const { generation, paused } = broker.pools.get('other').pool.stats();
    const reply = await ask(method, path.replace('{alias}', 'other'));
    expect([reply.status, reply.json()]).toMatchObject([403, { error: { code: 'FORBIDDEN' } }]);
    expect(reply.text).not.toContain('prod/other');
    expect(broker.pools.get('other').pool.stats()).toMatchObject({ generation, paused });
  });

  test.each(inPath('{id}'))('may not $method $path of another caller', async ({ method, path }) => {
    const begun = await ask('POST', '/v1/databases/default/transactions', 'whole');
    const { transactionId } = begun.json() as { transactionId: string };
    const reply = await ask(method, path.replace('{id}', transactionId), 'half', { sql: 'SELECT 1' });
    expect([reply.status, reply.json()]).toMatchObject([404, { error: { code: 'TRANSACTION_NOT_FOUND' } }]);
    expect((await ask('POST', `/v1/transactions/${transactionId}/rollback`, 'whole')).status).toBe(200);
  });

  test.each(inPath('{step}'))('may not $method $path for the secret of another', async ({ method, path }) => {
    for (const step of ['createSecret', 'setSecret', 'testSecret', 'finishSecret']) {
      const event = { SecretId: 'prod/other', ClientRequestToken: 'a'.repeat(32), Step: step };
      const reply = await ask(method, path.replace('{step}', step), 'half', event);
      expect([reply.status, reply.json()]).toMatchObject([403, { error: { code: 'FORBIDDEN' } }]);
    }
  });

  test('sees his own in the list, and a whole admin all', async () => {
    const aliasesFor = async (key: string) => {
      const { databases } = (await ask('GET', '/v1/databases', key)).json() as {
        databases: { alias: string }[];
      };
      return databases.map(({ alias }) => alias);
    };
    expect(await aliasesFor('half')).toEqual(['default']);
    expect(await aliasesFor('whole')).toEqual(['default', 'other']);
  });

  test('is told in /readyz what only his own fails with', async () => {
    const detailsFor = async (key: string) => {
      const { details } = (await ask('GET', '/readyz', key)).json() as { details: object };
      return Object.keys(details);
    };
    expect(await detailsFor('half')).toEqual(['default']);
    expect(await detailsFor('whole')).toEqual(['default', 'other']);
  });

  test('is asked about each call that there is', () => {
    const asked = [...inPath('{alias}'), ...inPath('{id}'), ...inPath('{step}')].map(({ path }) => path);
    const rest = operations.map(({ path }) => path).filter((path) => !asked.includes(path));
    expect(rest.filter((path) => !OPEN.includes(path))).toEqual(['/v1/databases']);
  });
});
