import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { makeFolderOnce } from '../../infra/local/process/cache-folder.ts';

let cache: string;

beforeEach(async () => {
  cache = await mkdtemp(join(tmpdir(), 'conn-pool-cache-test-'));
});

afterEach(async () => {
  await rm(cache, { recursive: true });
});

test('a folder is made only if it is not there', async () => {
  const made: string[] = [];
  for (const text of ['first', 'second']) {
    await makeFolderOnce(join(cache, 'folder'), async (draft) => {
      made.push(text);
      await writeFile(join(draft, 'file'), text);
    });
  }

  expect(made).toEqual(['first']);
  expect(await readFile(join(cache, 'folder/file'), 'utf8')).toBe('first');
});

test('two makers at once both end with one whole folder', async () => {
  const bothStarted = barrier(2);
  await Promise.all(
    ['a', 'b'].map((text) =>
      makeFolderOnce(join(cache, 'folder'), async (draft) => {
        await bothStarted();
        await writeFile(join(draft, 'file'), text);
      }),
    ),
  );

  expect(await readdir(cache)).toEqual(['folder']);
  expect(await readFile(join(cache, 'folder/file'), 'utf8')).toMatch(/^[ab]$/);
});

test('a failed attempt leaves nothing, and the next one succeeds', async () => {
  const failing = makeFolderOnce(join(cache, 'folder'), async (draft) => {
    await writeFile(join(draft, 'half'), '');
    throw new Error('no network');
  });
  await expect(failing).rejects.toThrow('no network');
  expect(await readdir(cache)).toEqual([]);

  await makeFolderOnce(join(cache, 'folder'), (draft) => writeFile(join(draft, 'file'), ''));

  expect(await readdir(join(cache, 'folder'))).toEqual(['file']);
});

test('what an attempt left that was killed is removed by the next one, and a living one is left alone', async () => {
  // The highest process id that Linux allows is 4194304.
  const abandoned = join(cache, 'folder.draft-4194305-1');
  const living = join(cache, `folder.draft-${process.pid}-1`);
  await mkdir(abandoned);
  await mkdir(living);

  await makeFolderOnce(join(cache, 'folder'), async () => {});

  expect([existsSync(abandoned), existsSync(living)]).toEqual([false, true]);
});

function barrier(parties: number): () => Promise<void> {
  let arrived = 0;
  let open = () => {};
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return async () => {
    arrived += 1;
    if (arrived === parties) open();
    await opened;
  };
}
