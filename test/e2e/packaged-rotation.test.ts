import { execFile } from 'node:child_process';
import { mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ROTATION_STEPS } from '../../lib/protocol/rotation.ts';
import { readZip } from '../packaging/support/read-zip.ts';
import { packageService } from '../packaging/support/service.ts';
import { useRotatingDatabase } from '../rotation/support/rotating-database.ts';

const place = await useRotatingDatabase();
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'rotation-'));
  const service = await packageService();
  const [bundle] = readZip(join(service.packaged, 'rotate-secret.zip')).values();
  await writeFile(join(folder, 'rotate-secret.mjs'), bundle ?? service.output);
  await rm(service.folder, { recursive: true });
  // The SDK, which Lambda's runtime brings.
  await symlink(resolve(import.meta.dirname, '../../node_modules'), join(folder, 'node_modules'));
});

afterAll(async () => await rm(folder, { recursive: true }));

test('the packaged rotation function rotates with the driver in its bundle and the SDK of its runtime', async () => {
  const { user: username, password } = place.database.app;
  place.put('shop', { username, password });
  const token = place.secrets.beginRotation('shop');
  const events = ROTATION_STEPS.map((step) => place.eventOf('shop', step, token));
  const script = `
    import { handler } from ${JSON.stringify(join(folder, 'rotate-secret.mjs'))};
    const context = { awsRequestId: 'request-1', getRemainingTimeInMillis: () => 10_000 };
    for (const event of ${JSON.stringify(events)}) await handler(event, context);
    process.exit(0);`;
  await promisify(execFile)(process.execPath, ['--input-type=module', '-e', script], {
    env: { PATH: process.env.PATH, ...place.secrets.environment },
  });
  expect(await place.letsIn(place.fieldsOf('shop', 'AWSCURRENT'))).toBe(true);
  expect(await place.letsIn({ username, password })).toBe(false);
});
