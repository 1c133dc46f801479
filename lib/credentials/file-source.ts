import { createHmac, randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { credentialsFailure } from '../aws/credentials-failure.ts';
import { errorCode } from '../settings/problems.ts';
import { type DatabaseSecret, parseDatabaseSecret } from './database-secret.ts';
import { VersionedSource, type VersionedSourceOptions } from './versioned-source.ts';

/** Reading a small file is cheap, so that changes take effect soon. */
const FILE_REFRESH_INTERVAL_MS = 1_000;

/** A version id appears in logs and replies: with this key it does not help to guess the password. */
const versionKey = randomBytes(32);

export function fileSource(path: string, options: VersionedSourceOptions): VersionedSource<DatabaseSecret> {
  const refreshIntervalMs = Math.min(options.refreshIntervalMs, FILE_REFRESH_INTERVAL_MS);
  return new VersionedSource(
    async () => {
      const text = await readCredentials(path);
      return { versionId: versionIdOf(text), value: parseDatabaseSecret(text) };
    },
    { ...options, refreshIntervalMs },
  );
}

async function readCredentials(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (cause) {
    const reason = `their file cannot be read (${errorCode(cause)})`;
    throw credentialsFailure('credentials_file_unreadable', reason, cause);
  }
}

function versionIdOf(text: string): string {
  return createHmac('sha256', versionKey).update(text).digest('hex').slice(0, 16);
}
