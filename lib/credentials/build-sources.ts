import { RdsTokenSigner } from '../aws/rds-token.ts';
import { type SecretLabel, SecretsManager, type SecretText } from '../aws/secrets-manager.ts';
import { assert } from '../errors.ts';
import { MYSQL_PORT } from '../settings/servers.ts';
import type { CredentialsSettings, DatabaseSettings, Settings } from '../settings/settings.ts';
import { parseDatabaseSecret } from './database-secret.ts';
import { fileSource } from './file-source.ts';
import { IamCredentials } from './iam-credentials.ts';
import type { CredentialsSource } from './login.ts';
import { LabelledVersion } from './pending-version.ts';
import { type Origin, SecretCredentials } from './secret-credentials.ts';
import { VersionedSource } from './versioned-source.ts';

/** Forms of credentials that hold a password, or say where it is. */
type SecretForm = Exclude<CredentialsSettings, { iam: unknown }>;

/** The credentials of each alias. Aliases on one secret share its fetches. */
export function buildCredentialsSources(
  { databases, secrets }: Pick<Settings, 'databases' | 'secrets'>,
  secretsManager: SecretsManager = new SecretsManager(),
): ReadonlyMap<string, CredentialsSource> {
  const bySecretId = new Map<string, Origin>();

  function secretOrigin(secretId: string): Origin {
    const known = bySecretId.get(secretId);
    if (known !== undefined) return known;
    const versionOf = ({ text, versionId }: SecretText) => ({ versionId, value: parseDatabaseSecret(text) });
    const labelled = (label: SecretLabel) =>
      new LabelledVersion(async () => {
        const found = await secretsManager.find(secretId, label);
        return found && versionOf(found);
      }, secrets.minRefreshIntervalMs);
    const origin = {
      id: `secret ${secretId}`,
      source: new VersionedSource(async () => versionOf(await secretsManager.read(secretId)), secrets),
      pending: labelled('AWSPENDING'),
      previous: labelled('AWSPREVIOUS'),
    };
    bySecretId.set(secretId, origin);
    return origin;
  }

  const signer = new RdsTokenSigner();

  function sourceOf(alias: string, database: DatabaseSettings): CredentialsSource {
    const { credentials, host, port = MYSQL_PORT } = database;
    if (!('iam' in credentials)) return new SecretCredentials(originOf(alias, credentials), database);
    assert(host !== undefined, 'credentials.iam without a host passed the settings');
    const login = { alias, host, port, database: database.database, username: credentials.iam.username };
    return new IamCredentials(login, signer, secrets.minRefreshIntervalMs);
  }

  function originOf(alias: string, credentials: SecretForm): Origin {
    if ('secretId' in credentials) return secretOrigin(credentials.secretId);
    if ('file' in credentials) {
      return { id: `file ${credentials.file}`, source: fileSource(credentials.file, secrets) };
    }
    const inline = { versionId: 'inline', value: credentials };
    return { id: `inline ${alias}`, source: new VersionedSource(async () => inline, secrets) };
  }

  return new Map(Object.entries(databases).map(([alias, database]) => [alias, sourceOf(alias, database)]));
}
