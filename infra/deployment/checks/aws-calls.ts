import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { SecretsManager } from '@aws-sdk/client-secrets-manager';

/** Every call that Secrets Manager's client has, by its method: getSecretValue. */
const SECRETS_MANAGER_CALLS = Object.getOwnPropertyNames(SecretsManager.prototype);

/**
 * The permissions that code needs: an action for each call of an AWS service in it, and a file that makes the call.
 *
 * Only files that name a client of the SDK are looked into; there, whatever is written like one of its calls counts.
 */
export async function actionsOfCode(
  folder: string,
  isMeant: (file: string) => boolean,
): Promise<Map<string, string>> {
  const files = await readdir(folder, { recursive: true });
  const actions = new Map<string, string>();
  for (const file of files.filter((name) => name.endsWith('.ts') && isMeant(name))) {
    const code = await readFile(path.join(folder, file), 'utf8');
    for (const [, client = ''] of code.matchAll(/@(?:aws-sdk|smithy)\/([\w-]+)/g)) {
      for (const action of actionsOf(client, code)) actions.set(action, path.join(folder, file));
    }
  }
  return actions;
}

function actionsOf(client: string, code: string): string[] {
  switch (client) {
    case 'client-secrets-manager':
      return SECRETS_MANAGER_CALLS.map((call) => ({ call, operation: capitalised(call) }))
        .filter(
          ({ call, operation }) => code.includes(`.${call}(`) || code.includes(`new ${operation}Command(`),
        )
        .map(({ operation }) => `secretsmanager:${operation}`);
    // Its signatures are logins.
    case 'signature-v4':
      return ['rds-db:connect'];
    default:
      throw new Error(`infra/deployment/checks/aws-calls.ts does not know which actions ${client} needs`);
  }
}

function capitalised(word: string): string {
  return word.slice(0, 1).toUpperCase() + word.slice(1);
}
