import * as z from 'zod/mini';
import { BrokerError, isErrorCode } from '../errors.ts';

/** The body of every reply that is not a success. */
export const FailureBody = z.object({
  error: z.object({
    code: z.string(),
    message: z.string(),
    /** The failure is transient and nothing was applied. */
    retryable: z.boolean(),
    /** Whether the work was applied. */
    outcome: z.enum(['not_applied', 'applied', 'unknown']),
    requestId: z.string(),
    mysql: z.optional(z.object({ errno: z.number(), sqlState: z.string(), name: z.optional(z.string()) })),
    limit: z.optional(z.object({ name: z.string(), max: z.number(), actual: z.number() })),
    transaction: z.optional(z.enum(['open', 'ended'])),
    reason: z.optional(z.string()),
    details: z.optional(
      z.record(z.string(), z.union([z.string(), z.number(), z.boolean(), z.null(), z.array(z.string())])),
    ),
  }),
});
export type FailureBody = z.infer<typeof FailureBody>;

export function toFailureBody(error: BrokerError, requestId: string): FailureBody {
  const { code, message, retryable, outcome, mysql, limit, transaction, reason, details } = error;
  return {
    error: {
      code,
      message,
      retryable,
      outcome,
      requestId,
      ...(mysql && { mysql }),
      ...(limit && { limit }),
      ...(transaction && { transaction }),
      ...(reason && { reason }),
      ...(details && { details: details as FailureBody['error']['details'] }),
    },
  };
}

/** The same error on the client's side. An unknown code, of a later broker, becomes INTERNAL, with its name in `details`. */
export function fromFailureBody({ error }: FailureBody): BrokerError {
  const { code, message, details, retryable, ...facts } = error;
  // With another outcome `retryable` is false whatever the cause.
  const options = { ...facts, isTransient: facts.outcome === 'not_applied' ? retryable : undefined };
  if (isErrorCode(code)) return new BrokerError(code, message, { ...options, details });
  return new BrokerError('INTERNAL', message, { ...options, details: { ...details, brokerCode: code } });
}
