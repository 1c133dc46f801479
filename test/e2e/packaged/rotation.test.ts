import { afterAll, describe, expect, test } from 'vitest';
import { ROTATION_STEPS } from '../../../lib/protocol/rotation.ts';
import { useRotatingDatabase } from '../../rotation/support/rotating-database.ts';
import { startTestBroker } from '../../support/broker.ts';
import { http } from '../../support/http.ts';
import { putKeys } from '../../support/lambda/function-scene.ts';
import { nodeRuntimes } from '../../support/lambda/node-runtimes.ts';
import { PackagedFunctions } from '../../support/lambda/packaged-functions.ts';
import type { LambdaFunction } from '../../support/lambda/start-function.ts';

const place = await useRotatingDatabase();
const { secrets } = place;
const { user, password } = place.database.app;
place.put('shop', { username: user, password });
const broker = await startTestBroker(place.database, {
  databases: { default: { credentials: { secretId: 'shop' } } },
});
afterAll(broker.stop);
putKeys(secrets, broker);

const packaged = await PackagedFunctions.build();

/** What `--param rotateBy=function` makes of it: there is no broker to ask. */
const ALONE = { BROKER_URL: '' };

const stepsOfBroker = () =>
  broker.logs.filter((line) => line.includes('"action":"POST /v1/rotation/')).length;

/** All steps, by one instance. The password before is refused after it. */
async function rotateBy(rotate: LambdaFunction): Promise<void> {
  const before = place.fieldsOf('shop', 'AWSCURRENT');
  const token = secrets.beginRotation('shop');
  for (const step of ROTATION_STEPS) {
    expect(await rotate.invoke(place.eventOf('shop', step, token))).toEqual({ payload: null });
  }
  expect(await place.letsIn(place.fieldsOf('shop', 'AWSCURRENT'))).toBe(true);
  expect(await place.letsIn(before)).toBe(false);
  expect(rotate.coldStarts).toBe(1);
}

describe.each(await nodeRuntimes())('on Node.js $version', ({ node }) => {
  const options = { node, env: secrets.environment };
  const replace = { BROKER_URL: broker.url };

  test('the packaged rotation function has the broker rotate', async () => {
    await using rotate = await packaged.start('rotate-secret', { ...options, replace });
    const stepsBefore = stepsOfBroker();

    await rotateBy(rotate);

    expect(stepsOfBroker() - stepsBefore).toBe(ROTATION_STEPS.length);
  });

  test('it rotates itself with rotateBy=function, by the driver in its bundle and the SDK of its runtime', async () => {
    await using rotate = await packaged.start('rotate-secret', { ...options, replace: ALONE });
    const stepsBefore = stepsOfBroker();

    await rotateBy(rotate);

    expect(stepsOfBroker()).toBe(stepsBefore);
  });

  test.each([
    ['broker', replace],
    ['function', ALONE],
  ])('what a step must not do fails by its code, done by the %s', async (_, variables) => {
    await using rotate = await packaged.start('rotate-secret', { ...options, replace: variables });
    const event = place.eventOf('shop', 'setSecret', crypto.randomUUID());
    expect(await rotate.invoke(event)).toMatchObject({ error: { errorType: 'INVALID_REQUEST' } });
    expect(await rotate.invoke({})).toMatchObject({ error: { errorType: 'INVALID_REQUEST' } });
  });

  test('the packaged credentials-rotated function has the broker look at its secrets', async () => {
    await using rotated = await packaged.start('credentials-rotated', { ...options, replace });
    const newVersionId = secrets.put('shop', secrets.textOf('shop', 'AWSCURRENT'));
    // It was no rotation that made it: the last one's version would count as one that is pending.
    secrets.cancelRotation('shop');
    const event = {
      source: 'aws.secretsmanager',
      'detail-type': 'Secret Label Updated',
      detail: { name: 'shop', labelUpdated: 'AWSCURRENT' },
    };

    expect(await rotated.invoke(event)).toEqual({ payload: { told: 1 } });

    const shown = await http(`${broker.url}/v1/databases/default`, {
      headers: broker.headers(broker.keys.admin),
    });
    expect(shown.json()).toMatchObject({ credentials: { versionId: newVersionId } });
    expect(await rotated.invoke({ ...event, detail: { labelUpdated: 'AWSPENDING' } })).toEqual({
      payload: { told: 0 },
    });
  });

  test('without the broker that it tells, credentials-rotated fails, so that the event comes again', async () => {
    const nobody = { BROKER_URL: 'http://127.0.0.1:1' };
    await using rotated = await packaged.start('credentials-rotated', {
      ...options,
      replace: nobody,
      timeoutMs: 15_000,
    });
    const event = { detail: { labelUpdated: 'AWSCURRENT' } };
    expect(await rotated.invoke(event)).toMatchObject({
      error: { errorMessage: expect.stringContaining('The broker could not be reached') },
    });
  });
});
