import { describe, expect, onTestFinished, test, vi } from 'vitest';
import type { ServerLogin } from '../../lib/credentials/login.ts';
import { assert } from '../../lib/errors.ts';
import { holdClock } from '../support/hold-clock.ts';
import { credentialsOf, credentialsSourceOf, runningSecretsManager } from './support/credentials-of.ts';

const OFTEN = { refreshIntervalMs: 20, minRefreshIntervalMs: 20 };
const FROM_SECRET = { host: 'db', credentials: { secretId: 'prod/shop' } };

function secretWith(password: string): string {
  return JSON.stringify({ username: 'app', password });
}

async function secretsWith(password: string) {
  const secrets = await runningSecretsManager();
  const versionId = secrets.put('prod/shop', secretWith(password));
  return { secrets, versionId };
}

describe('a secret', () => {
  test('is read once, however many ask at the same time', async () => {
    const { secrets } = await secretsWith('old');
    const source = credentialsSourceOf(FROM_SECRET);

    await Promise.all([source.current(), source.current(), source.refresh('x'), source.refresh()]);
    await source.current();

    expect(secrets.calls).toEqual(['GetSecretValue']);
  });

  test('that two aliases name is read once for both', async () => {
    const { secrets } = await secretsWith('old');

    const logins = await Promise.all(
      credentialsOf([FROM_SECRET, { ...FROM_SECRET, host: 'other' }]).map((source) => source.current()),
    );

    expect(logins.map(({ host }) => host)).toEqual(['db', 'other']);
    expect(secrets.calls).toEqual(['GetSecretValue']);
  });

  test('is read only when a login is needed', async () => {
    const { secrets } = await secretsWith('old');
    const source = credentialsSourceOf(FROM_SECRET);
    source.start();
    source.close();

    expect(source.status()).toEqual({ versionId: undefined, fetchedAtMs: undefined, lastFailure: undefined });
    expect(secrets.calls).toEqual([]);
  });

  test('counts in the version that AWSCURRENT is on, not in the newest', async () => {
    const { secrets, versionId } = await secretsWith('old');
    secrets.put('prod/shop', secretWith('new'));
    secrets.label('prod/shop', 'AWSCURRENT', versionId);

    expect((await credentialsSourceOf(FROM_SECRET).current()).password).toBe('old');
  });
});

describe('a refused login', () => {
  test('has the secret read again, once for all that were refused', async () => {
    const { secrets, versionId } = await secretsWith('old');
    const source = credentialsSourceOf(FROM_SECRET);
    await source.current();
    secrets.put('prod/shop', secretWith('new'));

    const logins = await Promise.all([1, 2, 3].map(async () => await source.refresh(versionId)));

    expect(logins.map(({ password }) => password)).toEqual(['new', 'new', 'new']);
    expect(secrets.calls).toHaveLength(2);
  });

  test('of an older version is answered with the newer one at once', async () => {
    const { secrets, versionId } = await secretsWith('old');
    const source = credentialsSourceOf(FROM_SECRET);
    await source.current();
    secrets.put('prod/shop', secretWith('new'));
    await source.refresh();

    expect((await source.refresh(versionId)).password).toBe('new');
    expect(secrets.calls).toHaveLength(2);
  });

  test('forces no second look within minRefreshIntervalMs, and one after it', async () => {
    const { secrets, versionId } = await secretsWith('wrong');
    const source = credentialsSourceOf(FROM_SECRET);
    await source.current();

    for (let attempt = 0; attempt < 20; attempt += 1) await source.refresh(versionId);
    expect(secrets.calls).toHaveLength(2);

    secrets.put('prod/shop', secretWith('right'));
    await vi.waitFor(async () => expect((await source.refresh(versionId)).password).toBe('right'), 10_000);
    expect(secrets.calls).toHaveLength(3);
  });

  test('does not keep an operator from looking at once', async () => {
    const { secrets, versionId } = await secretsWith('old');
    const source = credentialsSourceOf(FROM_SECRET);
    await source.current();
    await source.refresh(versionId);
    secrets.put('prod/shop', secretWith('new'));

    expect((await source.refresh()).password).toBe('new');
  });
});

describe('while Secrets Manager is down', () => {
  test('the last good version serves, and the status tells why', async () => {
    const { secrets, versionId } = await secretsWith('old');
    const source = credentialsSourceOf(FROM_SECRET);
    await source.current();
    secrets.trouble = 'unreachable';

    expect((await source.refresh(versionId)).password).toBe('old');
    expect((await source.current()).password).toBe('old');
    expect(source.status()).toMatchObject({
      versionId,
      fetchedAtMs: expect.any(Number),
      lastFailure: expect.stringContaining('Secrets Manager did not answer'),
      failure: expect.objectContaining({ details: { cause: 'secrets_manager_unavailable' } }),
    });
  });

  test('the next good look clears the failure', async () => {
    const { secrets } = await secretsWith('old');
    const source = credentialsSourceOf(FROM_SECRET);
    await source.current();
    secrets.trouble = 'unreachable';
    await source.refresh();
    secrets.trouble = undefined;
    await source.refresh();

    expect(source.status().lastFailure).toBeUndefined();
  });

  test('a version that cannot be used does not take the place of a good one', async () => {
    const { secrets, versionId } = await secretsWith('old');
    const source = credentialsSourceOf(FROM_SECRET);
    await source.current();
    secrets.put('prod/shop', 'nonsense');

    expect(await source.refresh()).toMatchObject({ versionId, password: 'old' });
    expect(source.status().lastFailure).toContain('not JSON');
  });

  test('those who need a first version fail at once, without a look each', async () => {
    const { secrets } = await secretsWith('old');
    const source = credentialsSourceOf(FROM_SECRET);
    secrets.trouble = 'AccessDeniedException';

    for (let attempt = 0; attempt < 5; attempt += 1) {
      await expect(source.current()).rejects.toMatchObject({ code: 'CREDENTIALS_REFUSED' });
    }

    expect(secrets.calls).toHaveLength(1);
  });
});

describe('listeners', () => {
  test('hear of a new version, once, and not of the first', async () => {
    const { secrets } = await secretsWith('old');
    const source = credentialsSourceOf(FROM_SECRET);
    const heard: string[] = [];
    source.onChange((login: ServerLogin) => heard.push(login.password));
    await source.current();
    await source.refresh();
    secrets.put('prod/shop', secretWith('new'));
    await source.refresh();
    await source.refresh();

    expect(heard).toEqual(['new']);
  });

  test('hear of a version that a periodic look finds', async () => {
    const { secrets } = await secretsWith('old');
    const source = credentialsSourceOf(FROM_SECRET, OFTEN);
    onTestFinished(() => source.close());
    const heard = new Promise<ServerLogin>((resolve) => source.onChange(resolve));
    source.start();
    await source.current();
    secrets.put('prod/shop', secretWith('new'));

    expect((await heard).password).toBe('new');
  });

  test('of an alias still hear when another alias on the secret has closed', async () => {
    const { secrets } = await secretsWith('old');
    const [one, other] = credentialsOf([FROM_SECRET, FROM_SECRET], OFTEN);
    assert(one !== undefined && other !== undefined, 'two aliases have two sources');
    onTestFinished(() => other.close());
    await other.current();
    const heard = new Promise<ServerLogin>((resolve) => other.onChange(resolve));
    one.start();
    other.start();
    one.close();
    secrets.put('prod/shop', secretWith('new'));

    expect((await heard).password).toBe('new');
  });
});

test('nothing looks by itself after close', async () => {
  const { secrets } = await secretsWith('old');
  const source = credentialsSourceOf(FROM_SECRET, OFTEN);
  holdClock();
  source.start();
  expect(vi.getTimerCount()).toBe(1);
  source.close();

  expect(vi.getTimerCount()).toBe(0);
  expect(secrets.calls).toEqual([]);
});
