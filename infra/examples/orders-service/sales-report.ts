import { signedPost } from './signed-post.ts';

const QUERY_URL = new URL('/databases/default/query', process.env.BROKER_API_URL);

/** As the HTTP interface answers; what API Gateway refuses by itself has only a `message`. */
interface Body {
  readonly rows?: readonly (readonly [orders: string, total: string])[];
  readonly error?: { readonly code: string; readonly message: string };
  readonly message?: string;
}

/** Outside the VPC: asks the broker's HTTP API. */
export async function handler({ status }: { readonly status: string }): Promise<object> {
  const sql = 'SELECT COUNT(*), CAST(SUM(total) AS DECIMAL(20, 2)) FROM orders WHERE status = ?';
  const reply = await signedPost(QUERY_URL, { sql, params: [status] });
  const body = (await reply.json()) as Body;
  if (!reply.ok) throw failureOf(reply.status, body);
  const [[orders, total] = []] = body.rows ?? [];
  return { orders, total };
}

/** Whoever invokes this function sees an error's name and message. */
function failureOf(status: number, { error, message }: Body): Error {
  const { code, message: reason } = error ?? { code: `HTTP_${status}`, message };
  return Object.assign(new Error(reason), { name: code });
}
