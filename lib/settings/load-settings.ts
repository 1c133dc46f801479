import { readFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { SecretsManager } from '../aws/secrets-manager.ts';
import { BrokerError } from '../errors.ts';
import { documentChecks } from './checks/document-checks.ts';
import { type DocumentSource, type LogLevel, type PeerEndpoint, parseEnvironment } from './environment.ts';
import { parseDocument } from './parse-document.ts';
import { parseSettings } from './parse-settings.ts';
import { errorCode, SettingsError } from './problems.ts';
import type { CredentialsSettings, DatabaseSettings, Settings, TlsSettings } from './settings.ts';
import { tlsFileProblems } from './tls-files.ts';

export interface LoadedSettings {
  readonly settings: Settings;
  readonly host: string;
  readonly port: number;
  readonly logLevel: LogLevel;
  readonly emfService: string | undefined;
  readonly peers: readonly PeerEndpoint[];
}

/**
 * Reads the broker's settings and environment.
 *
 * @throws {SettingsError} with a printable line for each problem.
 */
export async function loadSettings(environment: NodeJS.ProcessEnv): Promise<LoadedSettings> {
  const { source, host, port, logLevel, peakTasks, emfService, peers } = parseEnvironment(environment);
  const document = parseDocument(await readSource(source), source.variable);
  const settings = parseSettings(document, { checks: documentChecks(source.variable, host), peakTasks });
  const folder = source.variable === 'BROKER_SETTINGS_FILE' ? dirname(resolve(source.value)) : process.cwd();
  const located = withPathsFrom(folder, settings);
  const problems = await tlsFileProblems(located);
  if (problems.length > 0) throw new SettingsError(problems);
  return { settings: located, host, port, logLevel, emfService, peers };
}

async function readSource({ variable, value }: DocumentSource): Promise<string> {
  switch (variable) {
    case 'BROKER_SETTINGS':
      return value;
    case 'BROKER_SETTINGS_FILE':
      return await readSettingsFile(value);
    case 'BROKER_SETTINGS_SECRET':
      return await readSettingsSecret(value);
  }
}

async function readSettingsFile(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    throw new SettingsError([`BROKER_SETTINGS_FILE: the file cannot be read (${errorCode(error)})`], {
      cause: error,
    });
  }
}

async function readSettingsSecret(secretId: string): Promise<string> {
  const secrets = new SecretsManager();
  try {
    return (await secrets.read(secretId)).text;
  } catch (error) {
    const reason = error instanceof BrokerError ? error.message : 'the secret cannot be read';
    throw new SettingsError([`BROKER_SETTINGS_SECRET: ${reason}`], { cause: error });
  } finally {
    secrets.close();
  }
}

/** Paths in a document are relative to its folder. */
function withPathsFrom(folder: string, settings: Settings): Settings {
  const databases = Object.entries(settings.databases).map(
    ([alias, database]): [string, DatabaseSettings] => [
      alias,
      {
        ...database,
        credentials: absoluteFile(folder, database.credentials),
        tls: absoluteCa(folder, database.tls),
      },
    ],
  );
  const { tls } = settings.server;
  const server =
    tls === undefined
      ? settings.server
      : { ...settings.server, tls: { cert: resolve(folder, tls.cert), key: resolve(folder, tls.key) } };
  return { ...settings, databases: Object.fromEntries(databases), server };
}

function absoluteFile(folder: string, credentials: CredentialsSettings): CredentialsSettings {
  return 'file' in credentials ? { file: resolve(folder, credentials.file) } : credentials;
}

function absoluteCa(folder: string, tls: TlsSettings): TlsSettings {
  return typeof tls === 'string' ? tls : { ...tls, ca: resolve(folder, tls.ca) };
}
