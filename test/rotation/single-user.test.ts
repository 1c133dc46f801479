import { describe, expect, test } from 'vitest';
import { ROTATION_STEPS } from '../../lib/protocol/rotation.ts';
import { useRotatingDatabase } from './support/rotating-database.ts';

const place = await useRotatingDatabase();
const { admin } = place.database;
const { secrets } = place;
let users = 0;

/** A secret with a user of its own. */
async function newSecret(host = '%'): Promise<{ name: string; username: string; password: string }> {
  users += 1;
  const [name, username, password] = [`secret-${users}`, `user${users}`, 'first-password'];
  await admin.query('CREATE USER ?@? IDENTIFIED BY ?', [username, host, password]);
  await admin.query('GRANT ALL ON app.* TO ?@?', [username, host]);
  place.put(name, { username, password, note: 'kept' });
  return { name, username, password };
}

describe('a rotation', () => {
  test('gives the user another password, and keeps what else the secret holds', async () => {
    const { name, username, password } = await newSecret();
    const before = place.fieldsOf(name, 'AWSCURRENT');
    await place.rotate(name);
    const after = place.fieldsOf(name, 'AWSCURRENT');
    expect(after).toEqual({ ...before, password: expect.stringMatching(/^[^/@"'\\]{32}$/) });
    expect(await place.letsIn({ username, password: after.password })).toBe(true);
    expect(await place.letsIn({ username, password })).toBe(false);
    expect(place.fieldsOf(name, 'AWSPREVIOUS')).toEqual(before);
  });

  test('works for a user that may come from one host only', async () => {
    const { name } = await newSecret('127.0.0.1');
    await place.rotate(name);
    await place.rotate(name);
    expect(await place.letsIn(place.fieldsOf(name, 'AWSCURRENT'))).toBe(true);
  });

  test('changes nothing more when each of its steps is done twice', async () => {
    const { name } = await newSecret();
    const token = secrets.beginRotation(name);
    for (const step of ROTATION_STEPS) {
      await place.step(name, step, token);
      const pending = secrets.textOf(name, 'AWSPENDING');
      await place.step(name, step, token);
      expect(secrets.textOf(name, 'AWSPENDING')).toBe(pending);
    }
    expect(await place.letsIn(place.fieldsOf(name, 'AWSCURRENT'))).toBe(true);
  });

  test.each([
    'DescribeSecret',
    'GetSecretValue',
    'GetRandomPassword',
    'PutSecretValue',
    'UpdateSecretVersionStage',
  ])('succeeds when it is begun again after %s failed, whether it was done or not', async (operation) => {
    for (const after of [false, true]) {
      const { name } = await newSecret();
      const token = secrets.beginRotation(name);
      secrets.failNext = { operation, after };
      await expect(place.rotate(name, token)).rejects.toMatchObject({
        reason: expect.stringContaining(operation),
      });
      await place.rotate(name, token);
      expect(await place.letsIn(place.fieldsOf(name, 'AWSCURRENT'))).toBe(true);
    }
  });

  test.each([1, 2, 3])('succeeds when it is begun again after %i of its steps', async (count) => {
    const { name } = await newSecret();
    const token = secrets.beginRotation(name);
    for (const step of ROTATION_STEPS.slice(0, count)) await place.step(name, step, token);
    await place.rotate(name, token);
    expect(await place.letsIn(place.fieldsOf(name, 'AWSCURRENT'))).toBe(true);
  });

  test('takes the previous password where the database has that one still', async () => {
    const { name, username, password } = await newSecret();
    place.put(name, { username, password: 'never-set', note: 'kept' });
    await place.rotate(name);
    expect(await place.letsIn(place.fieldsOf(name, 'AWSCURRENT'))).toBe(true);
    expect(await place.letsIn({ username, password })).toBe(false);
  });

  test('passes on the token that proves it to Secrets Manager', async () => {
    const { name } = await newSecret();
    const RotationToken = 'a-token-of-another-account';
    const { Rotator } = await import('../../lib/rotation/rotator.ts');
    const event = place.eventOf(name, 'createSecret', secrets.beginRotation(name));
    await new Rotator().rotate({ ...event, RotationToken });
    expect(secrets.lastRotationToken).toBe(RotationToken);
  });
});

describe('a step is refused', () => {
  const refused = (reason: string) => ({
    code: 'INVALID_REQUEST',
    reason: expect.stringContaining(reason),
  });

  test('while rotation is switched off', async () => {
    const { name } = await newSecret();
    const token = secrets.beginRotation(name);
    secrets.enableRotation(name, false);
    await expect(place.step(name, 'createSecret', token)).rejects.toMatchObject(refused('switched off'));
  });

  test('for a token that names no version, or one that is not pending', async () => {
    const { name } = await newSecret();
    const { username, password } = await newSecret();
    const token = '00000000-0000-4000-8000-000000000000';
    await expect(place.step(name, 'createSecret', token)).rejects.toMatchObject(
      refused('none of its versions'),
    );
    await place.rotate(name);
    const first = await place.rotate(name);
    await place.rotate(name);
    await expect(place.step(name, 'setSecret', first)).rejects.toMatchObject(refused('not AWSPENDING'));
    expect(await place.letsIn({ username, password })).toBe(true);
  });

  test('when the pending version has no value yet', async () => {
    const { name } = await newSecret();
    const token = secrets.beginRotation(name);
    await expect(place.step(name, 'setSecret', token)).rejects.toMatchObject(
      refused('createSecret comes first'),
    );
  });

  test.each([
    ['user', { username: 'root' }],
    ['host', { host: 'localhost' }],
    ['port', { port: 1 }],
    ['encryption', { ssl: true }],
  ])('when somebody put a pending version of another %s there', async (_kind, forged) => {
    const { name, username, password } = await newSecret();
    const token = secrets.beginRotation(name);
    const fields = { ...place.fieldsOf(name, 'AWSCURRENT'), password: 'forged', ...forged };
    secrets.fill(name, token, JSON.stringify(fields));
    for (const step of ['setSecret', 'testSecret'] as const) {
      await expect(place.step(name, step, token)).rejects.toMatchObject(refused('another user or server'));
    }
    expect(await place.letsIn({ username, password })).toBe(true);
  });
});

describe('a failure', () => {
  test('tells that no known password lets the user in', async () => {
    const { name, username } = await newSecret();
    await place.rotate(name);
    await admin.query("ALTER USER ?@'%' IDENTIFIED BY 'somebody-else'", [username]);
    await expect(place.rotate(name)).rejects.toMatchObject({ code: 'CREDENTIALS_REFUSED' });
  });

  test('of testSecret tells that the pending version does not open its database', async () => {
    const { name } = await newSecret();
    place.put(name, { ...place.fieldsOf(name, 'AWSCURRENT'), dbname: 'missing' });
    const token = secrets.beginRotation(name);
    await place.step(name, 'createSecret', token);
    await place.step(name, 'setSecret', token);
    await expect(place.step(name, 'testSecret', token)).rejects.toMatchObject({
      code: 'DATABASE_UNREACHABLE',
    });
  });

  test('is what a server without TLS meets, unless the secret says ssl: false', async () => {
    const { name, username, password } = await newSecret();
    for (const ssl of [undefined, true, 'true', 'nonsense']) {
      place.put(name, { username, password, ssl });
      const token = await beginAndCreate(name);
      await expect(place.step(name, 'setSecret', token)).rejects.toMatchObject({
        code: 'DATABASE_UNREACHABLE',
      });
      secrets.cancelRotation(name);
    }
    place.put(name, { username, password, ssl: 'false' });
    await place.rotate(name);
    expect(await place.letsIn({ username, password })).toBe(false);
  });

  async function beginAndCreate(name: string): Promise<string> {
    const token = secrets.beginRotation(name);
    await place.step(name, 'createSecret', token);
    return token;
  }
});
