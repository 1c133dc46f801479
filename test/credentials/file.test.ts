import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { ServerLogin } from '../../lib/credentials/login.ts';
import { credentialsSourceOf } from './support/credentials-of.ts';

function secretWith(password: string): string {
  return JSON.stringify({ username: 'app', password });
}

describe('a credentials file', () => {
  async function fileSource(text: string) {
    const folder = await mkdtemp(join(tmpdir(), 'credentials-'));
    onTestFinished(async () => await rm(folder, { recursive: true }));
    const file = join(folder, 'shop.json');
    await writeFile(file, text);
    const source = credentialsSourceOf({ host: 'db', credentials: { file } }, { minRefreshIntervalMs: 20 });
    return { file, source };
  }

  test('may begin with a byte order mark', async () => {
    const { source } = await fileSource(`\uFEFF${secretWith('old')}`);
    expect((await source.current()).password).toBe('old');
  });

  test('is read again after a refused login, and by itself when it changes', async () => {
    const { file, source } = await fileSource(secretWith('old'));
    const first = await source.current();
    await writeFile(file, secretWith('new'));

    expect((await source.refresh(first.versionId)).password).toBe('new');

    onTestFinished(() => source.close());
    const heard = new Promise<ServerLogin>((resolve) => source.onChange(resolve));
    source.start();
    await writeFile(file, secretWith('newest'));

    expect((await heard).password).toBe('newest');
  });

  test('has the same version while its text is the same, and one that says nothing of the text', async () => {
    const { file, source } = await fileSource(secretWith('old'));
    const { versionId } = await source.current();
    await writeFile(file, secretWith('old'));

    expect((await source.refresh()).versionId).toBe(versionId);
    expect(versionId).toMatch(/^[0-9a-f]{16}$/);
  });

  test('that is missing is told without its path', async () => {
    const source = credentialsSourceOf({ host: 'db', credentials: { file: '/nowhere/shop.json' } });

    await expect(source.current()).rejects.toMatchObject({
      code: 'CREDENTIALS_REFUSED',
      message: 'The login of the database is not known: their file cannot be read (ENOENT)',
    });
  });
});
