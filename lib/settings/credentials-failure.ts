import { BrokerError } from '../errors.ts';

/** The reason is shown to callers: no path, host, name or text of a secret. */
export function credentialsFailure(reason: string, cause?: unknown): BrokerError {
  return new BrokerError('CREDENTIALS_REFUSED', `The login of the database is not known: ${reason}`, {
    cause,
    reason,
  });
}
