import { BrokerError } from '../lib/errors.ts';

/** Lambda's limit for the reply of an invocation. It replaces a larger one by its own error. */
export const MAX_ANSWER_BYTES = 6_291_556;

/**
 * The size of a reply in bytes.
 *
 * @throws {BrokerError} `RESULT_TOO_LARGE`
 */
export function checkReplySize(text: string, max: number): number {
  const actual = Buffer.byteLength(text);
  if (actual <= max) return actual;
  throw new BrokerError('RESULT_TOO_LARGE', 'The result is too large for the reply of a Lambda function', {
    outcome: 'unknown',
    limit: { name: 'lambdaReplyBytes', max, actual },
  });
}
