import { expect, test } from 'vitest';
import { loadSettings } from '../../lib/settings/load-settings.ts';
import { parseSettings } from '../../lib/settings/parse-settings.ts';
import { SettingsError } from '../../lib/settings/problems.ts';
import { problemsOf } from './support/problems-of.ts';

const SECRET = 'hunter2';
const callers = { orders: { keySha256: 'a'.repeat(64), databases: ['*'], access: 'read' } };

function databaseWith(database: object) {
  return { databases: { default: { credentials: { secretId: 'x' }, ...database } }, callers };
}

test.each([
  [databaseWith({ credentials: SECRET })],
  [databaseWith({ credentials: [SECRET] })],
  [databaseWith({ credentials: { username: 'app', passwrod: SECRET } })],
  [databaseWith({ credentials: { username: 'app', [SECRET]: null } })],
  [databaseWith({ credentials: { username: 'app', [`password:${SECRET}`]: null } })],
  [databaseWith({ credentials: { username: 'app', password: { value: SECRET } } })],
  [databaseWith({ credentials: { secretId: 'x', username: 'app', password: SECRET } })],
  [databaseWith({ credentials: { secretId: { password: SECRET } } })],
  [databaseWith({ host: `mysql://app:${SECRET}@db/shop` })],
  [databaseWith({ password: SECRET })],
  [databaseWith({ [`password: ${SECRET}`]: 1 })],
  [databaseWith({ pool: SECRET })],
  [databaseWith({ pool: { size: SECRET } })],
  [databaseWith({ session: { variables: { [`${SECRET}!`]: 1 } } })],
  [{ databases: { [`app:${SECRET}@db`]: {} }, callers }],
  [{ databases: SECRET, callers }],
  [{ ...databaseWith({}), callers: { orders: { ...callers.orders, keySha256: SECRET } } }],
  [{ ...databaseWith({}), callers: { orders: { ...callers.orders, key: SECRET } } }],
  [{ ...databaseWith({}), callers: { orders: { ...callers.orders, keySecret: `${SECRET} ${SECRET}` } } }],
  [{ ...databaseWith({}), callers: { orders: SECRET } }],
  [{ ...databaseWith({}), server: { tls: { cert: 'c', key: [SECRET] } } }],
  [{ ...databaseWith({}), servers: { [`password:${SECRET}`]: { maxConnections: 0 } } }],
  [{ ...databaseWith({}), servers: { [`app:${SECRET}@db:3306`]: { maxConnections: 1 } } }],
  [{ ...databaseWith({}), servers: { 'db:3306': { [`max:${SECRET}`]: 1 } } }],
  [SECRET],
  [[SECRET]],
])('%j is refused without showing the secret', (document) => {
  const lines = problemsOf(() => parseSettings(document));

  expect(lines).not.toEqual([]);
  expect(lines.join('\n')).not.toContain(SECRET);
});

test.each([
  `password: "${SECRET}`,
  `password: @${SECRET}`,
  `password: !${SECRET}`,
  `password: *${SECRET}`,
  `password: ${SECRET}: x`,
  `{ password: ${SECRET}`,
  `${SECRET}: 1\n${SECRET}: 2`,
  `password: '${SECRET}'${SECRET}`,
  `%${SECRET}\n---\na: 1`,
])('the broken YAML %j is refused without quoting it', async (text) => {
  const error = await loadSettings({ BROKER_SETTINGS: text }).catch((caught: unknown) => caught);

  expect(error).toBeInstanceOf(SettingsError);
  expect(String(error)).not.toContain(SECRET);
});

test('a document where a path belongs is not shown', async () => {
  const error = await loadSettings({ BROKER_SETTINGS_FILE: `{password: ${SECRET}}` }).catch(
    (e: unknown) => e,
  );

  expect(error).toBeInstanceOf(SettingsError);
  expect(String(error)).not.toContain(SECRET);
});
