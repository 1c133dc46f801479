import { createHash } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { LocalDatabase } from './database/local-database.ts';

/**
 * Writes the settings of a local broker, with the credentials in a file of their own, both closed to others.
 *
 * @returns the path of the settings.
 */
export async function writeBrokerSettings(
  folder: string,
  { host, port, user, password, database }: LocalDatabase,
  callerKey: string,
): Promise<string> {
  const credentialsFile = join(folder, 'database.secret.json');
  const settingsFile = join(folder, 'settings.json');
  const settings = {
    databases: {
      default: { host, port, database, credentials: { file: credentialsFile }, tls: 'off' },
    },
    callers: {
      local: {
        keySha256: createHash('sha256').update(callerKey).digest('hex'),
        databases: ['*'],
        access: 'admin',
      },
    },
    // Nobody else looks at readiness here, and Ctrl-C should be quick.
    server: { drainDelayMs: 0 },
  };
  await writeFile(credentialsFile, JSON.stringify({ username: user, password }), { mode: 0o600 });
  await writeFile(settingsFile, JSON.stringify(settings, undefined, 2), { mode: 0o600 });
  return settingsFile;
}
