import { afterAll, afterEach, beforeEach, expect, test, vi } from 'vitest';
import { ROTATION_STEPS } from '../../lib/protocol/rotation.ts';
import { useRotatingDatabase } from '../rotation/support/rotating-database.ts';
import { startTestBroker } from '../support/broker.ts';
import { contextWith } from './support/lambda.ts';

const place = await useRotatingDatabase();
const { admin, app } = place.database;
place.put('shop', { username: app.user, password: app.password });
const credentials = { secretId: 'shop' };
const broker = await startTestBroker(place.database, {
  databases: { default: { pool: {}, ...{ credentials } } },
});
afterAll(broker.stop);

beforeEach(() => vi.resetModules());
afterEach(() => {
  vi.stubEnv('BROKER_URL', '');
  vi.stubEnv('BROKER_KEY', '');
});

type Handler = typeof import('../../functions/rotate-secret.ts').handler;

/** The function as an instance that has just started with this environment. */
async function functionWith(environment: Record<string, string>): Promise<Handler> {
  for (const [name, value] of Object.entries(environment)) vi.stubEnv(name, value);
  return (await import('../../functions/rotate-secret.ts')).handler;
}

const rotationRequests = () =>
  broker.logs.filter((line) => line.includes('"action":"POST /v1/rotation/')).length;

test('does the steps itself where no broker is named', async () => {
  const handler = await functionWith({});
  const token = place.secrets.beginRotation('shop');
  for (const step of ROTATION_STEPS) await handler(place.eventOf('shop', step, token), contextWith());
  expect(await place.letsIn(place.fieldsOf('shop', 'AWSCURRENT'))).toBe(true);
  expect(await place.letsIn({ username: app.user, password: app.password })).toBe(false);
  expect(rotationRequests()).toBe(0);
});

test('hands each step to the broker that BROKER_URL names', async () => {
  const handler = await functionWith({ BROKER_URL: broker.url, BROKER_KEY: broker.keys.admin });
  const token = place.secrets.beginRotation('shop');
  for (const step of ROTATION_STEPS) await handler(place.eventOf('shop', step, token), contextWith());
  expect(await place.letsIn(place.fieldsOf('shop', 'AWSCURRENT'))).toBe(true);
  expect(rotationRequests()).toBe(ROTATION_STEPS.length);
});

test('throws what the broker refuses, named by its code', async () => {
  const handler = await functionWith({ BROKER_URL: broker.url, BROKER_KEY: broker.keys.writer });
  const event = place.eventOf('shop', 'createSecret', place.secrets.beginRotation('shop'));
  await expect(handler(event, contextWith())).rejects.toMatchObject({ name: 'FORBIDDEN' });
  place.secrets.cancelRotation('shop');
});

test('refuses what is no rotation event, in either way', async () => {
  for (const environment of [{}, { BROKER_URL: broker.url, BROKER_KEY: broker.keys.admin }]) {
    vi.resetModules();
    const handler = await functionWith(environment);
    const event = { ...place.eventOf('shop', 'createSecret', crypto.randomUUID()), Step: 'deleteSecret' };
    await expect(handler(event, contextWith())).rejects.toMatchObject({ name: 'INVALID_REQUEST' });
  }
});

test('throws no secret when the database refuses a statement', async () => {
  await admin.query("CREATE USER weak@'%' IDENTIFIED BY 'weak-password'");
  place.put('weak', { username: 'weak', password: 'weak-password' });
  const { username, password } = place.fieldsOf('shop', 'AWSCURRENT');
  place.put('turns', { username, password, masterarn: place.secrets.arnOf('weak') });
  const handler = await functionWith({});
  const token = place.secrets.beginRotation('turns');
  await handler(place.eventOf('turns', 'createSecret', token), contextWith());
  const failure = await handler(place.eventOf('turns', 'setSecret', token), contextWith()).catch(
    (error: unknown) => error,
  );
  expect(failure).toMatchObject({ name: 'SQL_ERROR' });
  const { inspect } = await import('node:util');
  const shown = inspect(failure, { depth: 10, showHidden: true });
  for (const secret of [password, 'weak-password', place.fieldsOf('turns', 'AWSPENDING').password]) {
    expect(shown).not.toContain(secret);
  }
});
