import type { APIGatewayProxyEventV2, APIGatewayProxyStructuredResultV2 } from 'aws-lambda';
import { connect } from 'serverless-conn-pool';
import { failure, json } from './replies.ts';

interface Order {
  readonly id: number;
  readonly status: string;
  /** A string: DECIMAL keeps its digits. */
  readonly total: string;
  readonly created_at: string;
}

// Once, not in the handler: the connections that it keeps serve every invocation.
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
    return failure(error);
  }
}
