import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readdir, rename, rm } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { processExists } from './watched-process.ts';

/**
 * Folder for what is slow to get and can be used again: the unpacked database program, a fresh data folder.
 * It is `.cache` at the top of the project, or what the environment variable CONN_POOL_CACHE names. It may be deleted at any time.
 */
export function cacheFolder(): string {
  return resolve(process.env.CONN_POOL_CACHE || join(import.meta.dirname, '../../../.cache'));
}

/**
 * Makes a folder unless it exists. `make` fills a draft, and only a finished draft gets the name: an
 * interrupted attempt leaves nothing that looks finished, and of two processes at once the slower one
 * takes what the faster one made.
 */
export async function makeFolderOnce(folder: string, make: (draft: string) => Promise<void>): Promise<void> {
  if (existsSync(folder)) return;
  await mkdir(dirname(folder), { recursive: true });
  await removeAbandonedDrafts(folder);
  const draft = `${folder}.draft-${process.pid}-${randomUUID()}`;
  try {
    await mkdir(draft);
    await make(draft);
    await rename(draft, folder);
  } catch (error) {
    await rm(draft, { recursive: true, force: true });
    if (!existsSync(folder)) throw error;
  }
}

async function removeAbandonedDrafts(folder: string): Promise<void> {
  const prefix = `${basename(folder)}.draft-`;
  for (const name of await readdir(dirname(folder))) {
    const ownerPid = Number.parseInt(name.slice(prefix.length), 10);
    if (!name.startsWith(prefix) || processExists(ownerPid)) continue;
    await rm(join(dirname(folder), name), { recursive: true, force: true });
  }
}
