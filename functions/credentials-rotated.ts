import type { Context } from 'aws-lambda';
import * as z from 'zod/mini';
import { BrokerTasks } from './broker-tasks.ts';

const tasks = new BrokerTasks();

/** `Secret Label Updated` names the label, `RotationSucceeded` (over CloudTrail) what happened. */
const SecretEvent = z.object({
  detail: z.object({ labelUpdated: z.optional(z.string()), eventName: z.optional(z.string()) }),
});

/**
 * Secrets Manager's events over EventBridge: makes every task of the broker refresh its secrets. Throws if a task could
 * not be reached, so that EventBridge sends the event again.
 */
export async function handler(event: unknown, context: Context): Promise<{ readonly told: number }> {
  const { detail } = SecretEvent.parse(event);
  const isInForce = detail.labelUpdated === 'AWSCURRENT' || detail.eventName === 'RotationSucceeded';
  return { told: isInForce ? await tasks.refreshCredentials(context.awsRequestId) : 0 };
}
