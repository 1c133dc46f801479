import type { Context } from 'aws-lambda';
import { checkArguments } from '../lib/client/check-arguments.ts';
import { readFailure, unusableReply } from '../lib/client/transport/broker-reply.ts';
import type { Transport } from '../lib/client/transport/http-transport.ts';
import { openTransport } from '../lib/client/transport/open-transport.ts';
import { BrokerError } from '../lib/errors.ts';
import { RotationEvent } from '../lib/protocol/rotation.ts';
import { ROTATION_ROUTE } from '../lib/protocol/routes.ts';
import { timeoutOf } from './http-event.ts';

const broker = process.env.BROKER_URL ? openTransport() : undefined;

/**
 * A rotation function of Secrets Manager. With `BROKER_URL` it forwards each step to the broker, and needs no access to
 * Secrets Manager or the database; without it, it does the step with its own rights.
 */
export async function handler(event: unknown, context: Context): Promise<void> {
  try {
    const step = checkArguments(RotationEvent, event);
    await (broker === undefined ? rotateHere(step) : handOver(broker, step, context));
  } catch (error) {
    // Lambda returns an error's name and message.
    if (error instanceof BrokerError) error.name = error.code;
    throw error;
  }
}

/** The driver is loaded only here. */
async function rotateHere(event: RotationEvent): Promise<void> {
  const { Rotator } = await import('../lib/rotation/rotator.ts');
  await new Rotator().rotate(event);
}

async function handOver(transport: Transport, event: RotationEvent, context: Context): Promise<void> {
  const reply = await transport.send({
    method: 'POST',
    path: ROTATION_ROUTE.replace(':step', event.Step),
    body: JSON.stringify(event),
    timeoutMs: timeoutOf(context),
    requestId: context.awsRequestId,
  });
  if (reply.status !== 200) throw readFailure(reply) ?? unusableReply(reply.status, reply.requestId);
}
