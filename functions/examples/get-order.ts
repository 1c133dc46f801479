import type { APIGatewayProxyEventV2, APIGatewayProxyStructuredResultV2 } from 'aws-lambda';
// In a project of your own: from 'serverless-conn-pool'.
import { BrokerError, connect } from '../../lib/index.ts';

interface Order {
  readonly id: number;
  readonly status: string;
  /** A string: DECIMAL keeps its digits. */
  readonly total: string;
  readonly created_at: string;
}

const db = connect({ timeoutMs: 5_000 });

/** `GET /orders/{id}` */
export async function handler(event: APIGatewayProxyEventV2): Promise<APIGatewayProxyStructuredResultV2> {
  const id = event.pathParameters?.id ?? '';
  if (!/^[1-9]\d{0,17}$/.test(id)) return json(400, { message: 'id must be a positive integer' });
  try {
    const sql = 'SELECT id, status, total, created_at FROM orders WHERE id = ?';
    const [order] = (await db.query<Order>(sql, [BigInt(id)])).rows;
    return order === undefined ? json(404, { message: 'no such order' }) : json(200, order);
  } catch (error) {
    if (!(error instanceof BrokerError && error.retryable)) throw error;
    return {
      ...json(503, { message: 'busy, try again', code: error.code }),
      headers: { 'retry-after': '1' },
    };
  }
}

function json(statusCode: number, body: object): APIGatewayProxyStructuredResultV2 {
  return { statusCode, headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) };
}
