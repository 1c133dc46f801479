import { BrokerError } from '../lib/errors.ts';

/** What Lambda takes of a function as the answer to an invocation; of more it makes an error of its own. */
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
