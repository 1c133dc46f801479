import * as z from 'zod';
import { credentialsFailure } from '../aws/credentials-failure.ts';

const portText = z
  .string()
  .regex(/^\s*\d{1,5}\s*$/)
  .transform(Number);

/**
 * A database secret as RDS, its console and its rotation functions write it. The master secret that RDS manages has only
 * username and password. Users may add keys.
 */
export const DatabaseSecret = z.looseObject({
  username: z.string().min(1),
  password: z.string(),
  host: z.string().min(1).nullish(),
  port: z.union([z.number(), portText]).pipe(z.int().min(1).max(65_535)).nullish(),
  dbname: z.string().nullish(),
  engine: z
    .string()
    .regex(/^(mysql|mariadb|aurora|aurora-mysql)$/i)
    .nullish(),
});
export type DatabaseSecret = z.infer<typeof DatabaseSecret>;

/** @throws {BrokerError} CREDENTIALS_REFUSED. Neither its message nor its cause holds any of the text. */
export function parseDatabaseSecret(text: string): DatabaseSecret {
  const json = parseJson(text);
  if (json === undefined) throw credentialsFailure('credentials_not_json', 'their secret is not JSON');
  const secret = DatabaseSecret.safeParse(json);
  if (secret.success) return secret.data;
  const fields = new Set(secret.error.issues.map(({ path }) => String(path[0] ?? 'username, password')));
  throw credentialsFailure(
    'credentials_incomplete',
    `their secret lacks, or has of the wrong kind: ${[...fields].join(', ')}`,
  );
}

function parseJson(text: string): unknown {
  try {
    // Editors on Windows put a byte order mark before it.
    return JSON.parse(text.replace(/^\uFEFF/, ''));
  } catch {
    return undefined;
  }
}
