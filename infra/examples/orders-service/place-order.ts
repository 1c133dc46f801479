import type { APIGatewayProxyEventV2, APIGatewayProxyStructuredResultV2 } from 'aws-lambda';
import { connect } from 'serverless-conn-pool';
import { failure, json } from './replies.ts';

interface Wish {
  readonly customerId: number;
  readonly productId: number;
  readonly quantity: number;
}

class SoldOut extends Error {}

const db = connect({ timeoutMs: 5_000 });

/** `POST /orders` with `{customerId, productId, quantity}` */
export async function handler(event: APIGatewayProxyEventV2): Promise<APIGatewayProxyStructuredResultV2> {
  const wish = parseWish(event.body);
  if (wish === undefined)
    return json(400, { message: 'send {customerId, productId, quantity}, each a positive integer' });
  try {
    return json(201, { id: await placeOrder(wish) });
  } catch (error) {
    return error instanceof SoldOut ? json(409, { message: 'sold out' }) : failure(error);
  }
}

/** All of it or nothing. A deadlock runs it anew: it does nothing but ask `tx`. */
async function placeOrder({ customerId, productId, quantity }: Wish): Promise<string | null> {
  return await db.transaction(async (tx) => {
    const locked = await tx.query<{ stock: number }>('SELECT stock FROM products WHERE id = ? FOR UPDATE', [
      productId,
    ]);
    if ((locked.rows[0]?.stock ?? 0) < quantity) throw new SoldOut();
    await tx.query('UPDATE products SET stock = stock - ? WHERE id = ?', [quantity, productId]);
    const { insertId } = await tx.query(
      `INSERT INTO orders (customer_id, product_id, quantity, total, status, created_at)
       SELECT ?, id, ?, price * ?, 'placed', UTC_TIMESTAMP() FROM products WHERE id = ?`,
      [customerId, quantity, quantity, productId],
    );
    return insertId;
  });
}

function parseWish(body = ''): Wish | undefined {
  try {
    const { customerId, productId, quantity } = JSON.parse(body);
    const isWish = [customerId, productId, quantity].every(
      (value) => Number.isSafeInteger(value) && value > 0,
    );
    return isWish ? { customerId, productId, quantity } : undefined;
  } catch {
    return undefined;
  }
}
