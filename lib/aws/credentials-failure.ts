import { BrokerError } from '../errors.ts';

/** Why a login or a caller's key could not be read. The words are stable: programs may rely on them. */
export type CredentialsCause =
  | 'credentials_file_unreadable'
  | 'credentials_not_json'
  | 'credentials_incomplete'
  | 'credentials_without_host'
  | 'secret_not_found'
  | 'secret_access_denied'
  | 'secret_not_decryptable'
  | 'secret_not_readable_now'
  | 'secret_name_invalid'
  | 'secrets_manager_unavailable'
  | 'aws_credentials_missing'
  | 'aws_credentials_invalid'
  | 'aws_credentials_unavailable'
  | 'aws_region_missing';

/** The reason is shown to callers: no path, host, name or text of a secret. */
export function credentialsFailure(cause: CredentialsCause, reason: string, error?: unknown): BrokerError {
  return new BrokerError('CREDENTIALS_REFUSED', `The login of the database is not known: ${reason}`, {
    cause: error,
    reason,
    details: { cause },
  });
}
