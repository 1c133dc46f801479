import { databasePath } from '../protocol/routes.ts';
import type { CallOptions, RetryOptions } from './call-options.ts';
import type { RowOptions } from './rows.ts';
import type { BrokerReply } from './transport/broker-reply.ts';
import { CallBudget } from './transport/call-budget.ts';
import type { Transport } from './transport/http-transport.ts';
import { withIdempotencyKey } from './transport/idempotent-retry.ts';

/** A database of the broker, with defaults for its calls. */
export interface DatabaseTarget {
  readonly transport: Transport;
  readonly alias: string;
  readonly timeoutMs: number;
  readonly retryWrites: boolean;
  readonly rowOptions: RowOptions;
}

/** A request to one of a database's routes. */
interface DatabaseRequest {
  readonly route: string;
  readonly body: object;
  /** It writes nothing, so it needs no idempotency key. */
  readonly isRead?: boolean | undefined;
  readonly streamType?: string | undefined;
}

/** Sends a request and reads its reply by `read`. With `retryWrites` it is retried with an idempotency key. */
export async function callDatabase<T>(
  { transport, alias, ...defaults }: DatabaseTarget,
  { route, body, isRead = false, streamType }: DatabaseRequest,
  options: CallOptions & RetryOptions,
  read: (reply: BrokerReply) => T,
): Promise<T> {
  const { timeoutMs = defaults.timeoutMs, retryWrites = defaults.retryWrites, signal } = options;
  const path = databasePath(route, alias);
  const request = { method: 'POST', path, body: JSON.stringify(body), signal, streamType } as const;
  if (isRead || !retryWrites) return read(await transport.send({ ...request, timeoutMs }));
  const budget = new CallBudget(timeoutMs, signal);
  return await withIdempotencyKey(budget, async (idempotencyKey) =>
    read(await transport.send({ ...request, idempotencyKey, timeoutMs: budget.remainingMs })),
  );
}
