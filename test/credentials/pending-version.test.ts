import { describe, expect, test } from 'vitest';
import { credentialsSourceOf, runningSecretsManager } from './support/credentials-of.ts';

const FROM_SECRET = { host: 'db', credentials: { secretId: 'prod/shop' } };

function secretWith(password: string): string {
  return JSON.stringify({ username: 'app', password });
}

/** A source whose current version, `old`, is known to it. */
async function knownSource(minRefreshIntervalMs = 300_000) {
  const secrets = await runningSecretsManager();
  const oldId = secrets.put('prod/shop', secretWith('old'));
  const source = credentialsSourceOf(FROM_SECRET, { minRefreshIntervalMs });
  await source.current();
  return { secrets, source, oldId };
}

describe('after a refusal the alternative is', () => {
  test('the current version, if it is a new one', async () => {
    const { secrets, source, oldId } = await knownSource();
    secrets.put('prod/shop', secretWith('new'));

    expect((await source.alternative(new Set([oldId])))?.password).toBe('new');
  });

  test('else the pending one, looked for once for all', async () => {
    const { secrets, source, oldId } = await knownSource();
    secrets.put('prod/shop', secretWith('new'), 'AWSPENDING');

    const found = await Promise.all([1, 2, 3].map(async () => await source.alternative(new Set([oldId]))));
    await source.alternative(new Set([oldId]));

    expect(found.map((login) => login?.password)).toEqual(['new', 'new', 'new']);
    expect(secrets.seen.filter((call) => call.endsWith('AWSPENDING'))).toHaveLength(1);
  });

  test.each<[string, string | undefined]>([
    ['without a value', undefined],
    ['that is no secret of a database', 'nonsense'],
  ])('none, if the pending one is %s', async (_, value) => {
    const { secrets, source, oldId } = await knownSource();
    secrets.put('prod/shop', value, 'AWSPENDING');

    expect(await source.alternative(new Set([oldId]))).toBeUndefined();
  });

  test('none, if there is no pending one or it was refused too', async () => {
    const { secrets, source, oldId } = await knownSource(1);
    expect(await source.alternative(new Set([oldId]))).toBeUndefined();
    const pendingId = secrets.put('prod/shop', secretWith('new'), 'AWSPENDING');

    expect(await source.alternative(new Set([oldId, pendingId]))).toBeUndefined();
  });
});

describe('when the newest version is refused', () => {
  test('the one that the server took last is tried before any look', async () => {
    const { secrets, source } = await knownSource(1);
    source.accepted(await source.current());
    const newId = secrets.put('prod/shop', secretWith('new'));
    await source.refresh();
    const looks = secrets.calls.length;

    expect((await source.alternative(new Set([newId])))?.password).toBe('old');
    expect(secrets.calls).toHaveLength(looks);
  });

  test('and none was taken yet, the one before it is looked for, once for all', async () => {
    const secrets = await runningSecretsManager();
    const oldId = secrets.put('prod/shop', secretWith('old'));
    const newId = secrets.put('prod/shop', secretWith('new'));
    const source = credentialsSourceOf(FROM_SECRET);
    await source.current();

    const found = await Promise.all([1, 2, 3].map(async () => await source.alternative(new Set([newId]))));

    expect(found.map((login) => login?.versionId)).toEqual([oldId, oldId, oldId]);
    expect(secrets.seen.filter((call) => call.endsWith('AWSPREVIOUS'))).toHaveLength(1);
  });

  test.each([
    ['another server', { host: 'elsewhere' }],
    ['another database', { dbname: 'other' }],
  ])('the one before it is not tried if it is for %s', async (_, more) => {
    const secrets = await runningSecretsManager();
    secrets.put('prod/shop', JSON.stringify({ ...more, username: 'app', password: 'old' }));
    const newId = secrets.put('prod/shop', JSON.stringify({ host: 'db', username: 'app', password: 'new' }));
    const source = credentialsSourceOf({ credentials: { secretId: 'prod/shop' } });
    await source.current();

    expect(await source.alternative(new Set([newId]))).toBeUndefined();
  });
});

describe('a pending version that the server took', () => {
  async function adopted() {
    const known = await knownSource(1);
    const { secrets, source, oldId } = known;
    const heard: string[] = [];
    source.onChange(({ versionId }) => heard.push(versionId));
    const newId = secrets.put('prod/shop', secretWith('new'), 'AWSPENDING');
    const pending = await source.alternative(new Set([oldId]));
    if (pending === undefined) throw new Error('no alternative');
    source.accepted(pending);
    return { ...known, heard, newId };
  }

  test('is the current one from then on, though Secrets Manager does not say so yet', async () => {
    const { source, heard, newId } = await adopted();

    expect((await source.current()).password).toBe('new');
    expect((await source.refresh()).password).toBe('new');
    expect(heard).toEqual([newId]);
  });

  test('changes nothing when it comes into force', async () => {
    const { secrets, source, heard, newId } = await adopted();
    secrets.label('prod/shop', 'AWSCURRENT', newId);
    await source.refresh();

    expect(heard).toEqual([newId]);
  });

  test('gives way when it is refused, to the version that is in force all the same', async () => {
    const { source, oldId, heard, newId } = await adopted();

    expect((await source.alternative(new Set([newId])))?.password).toBe('old');
    expect(heard).toEqual([newId, oldId]);
  });

  test('gives way to one that comes into force in its place', async () => {
    const { secrets, source, heard, newId } = await adopted();
    const otherId = secrets.put('prod/shop', secretWith('other'));
    await source.refresh();

    expect(heard).toEqual([newId, otherId]);
  });
});
