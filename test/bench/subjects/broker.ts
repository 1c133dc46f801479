import { createHash } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Account } from '../../../infra/local/database/database-admin.ts';
import { makeTemporaryFolder, removeTemporaryFolder } from '../../../infra/local/process/temporary-folder.ts';
import type { TestServer } from '../../support/database/own-database.ts';
import { CALLER_KEY } from '../statements.ts';
import { type ServiceProcess, startServiceProcess } from './service-process.ts';

const DOCKERFILE = join(import.meta.dirname, '../../../infra/Dockerfile');
const [, IMAGE_COMMAND = ''] = /^CMD \["node", (.*)\]$/m.exec(await readFile(DOCKERFILE, 'utf8')) ?? [];
/** As the image starts it, with the Node.js at hand. */
export const BROKER_COMMAND: readonly string[] = [process.execPath, ...JSON.parse(`[${IMAGE_COMMAND}]`)];

export interface BrokerSetup {
  /** One of them is called `default`, else they are `alias-0` and so on. */
  readonly aliases?: number;
  /** Settings of each alias that are not the defaults. */
  readonly alias?: object;
  readonly credentials?: object;
  /** Aliases besides, with their own settings. */
  readonly moreAliases?: Readonly<Record<string, object>>;
  /** Callers besides, by the key of each. */
  readonly moreKeys?: Readonly<Record<string, string>>;
  /** What starts it. Default: as the image starts it. */
  readonly command?: readonly string[];
}

/** The broker as it is deployed: bundled, with keys and metrics, settings at their defaults. */
export async function startBroker(
  { host, port }: TestServer,
  { database, user, password }: Account,
  {
    aliases = 1,
    alias,
    credentials = { username: user, password },
    moreAliases = {},
    moreKeys = {},
    command = BROKER_COMMAND,
  }: BrokerSetup = {},
): Promise<ServiceProcess> {
  const folder = await makeTemporaryFolder('bench');
  const settingsFile = join(folder, 'settings.json');
  const names = aliases === 1 ? ['default'] : Array.from({ length: aliases }, (_, index) => `alias-${index}`);
  const settings = { host, port, database, credentials, tls: 'off', ...alias };
  const caller = (key: string) => ({
    keySha256: createHash('sha256').update(key).digest('hex'),
    databases: ['*'],
    access: 'write',
  });
  const others = Object.entries(moreAliases).map(([name, more]) => [name, { ...settings, ...more }] as const);
  const callers = Object.entries(moreKeys).map(([name, key]) => [name, caller(key)] as const);
  const document = {
    databases: Object.fromEntries([...names.map((name) => [name, settings] as const), ...others]),
    callers: { benchmark: caller(CALLER_KEY), ...Object.fromEntries(callers) },
    server: { drainDelayMs: 0 },
  };
  await writeFile(settingsFile, JSON.stringify(document), { mode: 0o600 });
  const env = { HOST: '127.0.0.1', BROKER_SETTINGS_FILE: settingsFile };
  const service = await startServiceProcess(command, env, join(folder, 'log'));
  return {
    ...service,
    stop: async () => {
      await service.stop();
      await removeTemporaryFolder(folder);
    },
  };
}
