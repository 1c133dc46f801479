import type { APIGatewayProxyStructuredResultV2 } from 'aws-lambda';
import { BrokerError } from 'serverless-conn-pool';

export function json(statusCode: number, body: object): APIGatewayProxyStructuredResultV2 {
  return { statusCode, headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) };
}

/** @throws what no caller can do anything about: Lambda logs it and the API answers 500. */
export function failure(error: unknown): APIGatewayProxyStructuredResultV2 {
  if (!(error instanceof BrokerError)) throw error;
  const { code, retryable } = error;
  if (retryable) {
    const busy = json(503, { message: 'busy, try again', code });
    return { ...busy, headers: { ...busy.headers, 'retry-after': '1' } };
  }
  if (code === 'DUPLICATE_KEY' || code === 'CONSTRAINT_VIOLATION')
    return json(409, { message: 'refused', code });
  throw error;
}
