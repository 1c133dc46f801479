import { databasePath } from '../protocol/routes.ts';
import type { CallOptions, RetryOptions } from './call-options.ts';
import type { RowOptions } from './rows.ts';
import type { BrokerReply } from './transport/broker-reply.ts';
import { CallBudget } from './transport/call-budget.ts';
import type { Transport } from './transport/http-transport.ts';
import { underOneKey } from './transport/idempotent-retry.ts';

/** A database as a client knows it, and what its calls do unless they are told otherwise. */
export interface Database {
  readonly transport: Transport;
  readonly alias: string;
  readonly timeoutMs: number;
  readonly retryWrites: boolean;
  readonly rowOptions: RowOptions;
}

/** A body for one of a database's routes. */
interface DatabaseRequest {
  readonly route: string;
  readonly body: object;
  /** Nothing has to be done once and only once. */
  readonly isRead?: boolean | undefined;
  readonly streamType?: string | undefined;
}

/** Sends a question whose answer `read` takes from the reply; several times under one key if it may be. */
export async function callDatabase<T>(
  { transport, alias, ...defaults }: Database,
  { route, body, isRead = false, streamType }: DatabaseRequest,
  options: CallOptions & RetryOptions,
  read: (reply: BrokerReply) => T,
): Promise<T> {
  const { timeoutMs = defaults.timeoutMs, retryWrites = defaults.retryWrites, signal } = options;
  const path = databasePath(route, alias);
  const request = { method: 'POST', path, body: JSON.stringify(body), signal, streamType } as const;
  if (isRead || !retryWrites) return read(await transport.send({ ...request, timeoutMs }));
  const budget = new CallBudget(timeoutMs, signal);
  return await underOneKey(budget, async (idempotencyKey) =>
    read(await transport.send({ ...request, idempotencyKey, timeoutMs: budget.remainingMs })),
  );
}
