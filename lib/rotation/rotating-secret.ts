import * as z from 'zod';
import { parseDatabaseSecret } from '../credentials/database-secret.ts';

const Fields = z.record(z.string(), z.unknown());

/** What only rotations care for. Users write booleans as strings too. */
const RotationFields = z.object({
  ssl: z.union([z.boolean(), z.string()]).nullish().catch(undefined),
  masterarn: z.string().min(1).nullish().catch(undefined),
});

/** A version of a database secret, as a rotation sees it. */
export interface RotatingSecret {
  /** All of it as it came, with keys of the users' own. */
  readonly fields: Readonly<Record<string, unknown>>;
  readonly username: string;
  readonly password: string;
  readonly host: string | undefined;
  readonly port: number | undefined;
  readonly database: string | undefined;
  /** The secret says in so many words that logins go unencrypted. */
  readonly allowsPlain: boolean;
  /** The secret of the user that manages this one and its clone: the two take turns. */
  readonly masterSecretId: string | undefined;
}

/** @throws {BrokerError} CREDENTIALS_REFUSED, with nothing of the text in it. */
export function parseRotatingSecret(text: string): RotatingSecret {
  const { username, password, host, port, dbname } = parseDatabaseSecret(text);
  const fields = Fields.parse(JSON.parse(text));
  const { ssl, masterarn } = RotationFields.parse(fields);
  return {
    fields,
    username,
    password,
    host: host ?? undefined,
    port: port ?? undefined,
    database: dbname || undefined,
    allowsPlain: String(ssl).toLowerCase() === 'false',
    masterSecretId: masterarn ?? undefined,
  };
}
