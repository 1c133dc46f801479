import type { APIGatewayProxyStructuredResultV2, Context } from 'aws-lambda';
import { openTransport } from '../lib/client/transport/open-transport.ts';
import { BrokerError } from '../lib/errors.ts';
import { READY_ROUTE } from '../lib/protocol/routes.ts';
import { failureReply, timeoutOf, toHttpReply } from './http-event.ts';

const broker = openTransport();

/** `GET /health`: the broker's reply of `/readyz`. */
export async function handler(_event: unknown, context: Context): Promise<APIGatewayProxyStructuredResultV2> {
  const requestId = context.awsRequestId;
  try {
    const timeoutMs = timeoutOf(context);
    return toHttpReply(
      await broker.send({ method: 'GET', path: READY_ROUTE, timeoutMs, requestId }),
      requestId,
    );
  } catch (error) {
    if (error instanceof BrokerError) return failureReply(error, requestId);
    throw error;
  }
}
