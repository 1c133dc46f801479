import * as z from 'zod';
import { parseDatabaseSecret } from '../credentials/database-secret.ts';

const Fields = z.record(z.string(), z.unknown());

/** Fields that only rotations use. Users also write booleans as strings. */
const RotationFields = z.object({
  ssl: z.union([z.boolean(), z.string()]).nullish().catch(undefined),
  masterarn: z.string().min(1).nullish().catch(undefined),
});

/** A version of a database secret, as a rotation sees it. */
export interface RotatingSecret {
  /** All fields as they came, also those that users added. */
  readonly fields: Readonly<Record<string, unknown>>;
  readonly username: string;
  readonly password: string;
  readonly host: string | undefined;
  readonly port: number | undefined;
  readonly database: string | undefined;
  /** The secret has `ssl: false`: logins may be unencrypted. */
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
