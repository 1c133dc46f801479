import { onTestFinished, vi } from 'vitest';
import { buildCredentialsSources } from '../../../lib/credentials/build-sources.ts';
import type { CredentialsSource } from '../../../lib/credentials/login.ts';
import { parseSettings } from '../../../lib/settings/parse-settings.ts';
import { FakeSecretsManager } from '../../support/rotation/secrets-manager.ts';

/** A running double that the SDK finds until the test is over. */
export async function runningSecretsManager(): Promise<FakeSecretsManager> {
  const secrets = await FakeSecretsManager.start();
  for (const [name, value] of Object.entries(secrets.environment)) vi.stubEnv(name, value);
  onTestFinished(async () => {
    vi.unstubAllEnvs();
    await secrets[Symbol.asyncDispose]();
  });
  return secrets;
}

/** The sources of the aliases of these databases, in their order. */
export function credentialsOf(databases: object[], secrets: object = {}): CredentialsSource[] {
  const named = Object.fromEntries(databases.map((database, index) => [`db${index}`, database]));
  const settings = parseSettings({
    databases: named,
    callers: { a: { keySha256: 'a'.repeat(64), databases: ['*'], access: 'read' } },
    secrets,
  });
  return [...buildCredentialsSources(settings).values()];
}

/** The only one. */
export function credentialsSourceOf(database: object, secrets: object = {}): CredentialsSource {
  const [source] = credentialsOf([database], secrets);
  if (source === undefined) throw new Error('no source');
  return source;
}
