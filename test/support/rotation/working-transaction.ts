import { setTimeout as delay } from 'node:timers/promises';
import { BegunTransaction } from '../../../lib/protocol/transaction.ts';
import type { HttpReply } from '../http.ts';

const INTERVAL_MS = 100;

type Post = (path: string, body: unknown) => Promise<HttpReply>;

/** A transaction that does something again and again until it is told to commit. */
export interface WorkingTransaction {
  /** Of its connection, on the server. */
  readonly threadId: number;
  /**
   * How many times it did it.
   *
   * @throws if it was told of a failure at any time.
   */
  commit(): Promise<number>;
}

/** @param sql What it does. */
export async function beginWorking(post: Post, sql: string): Promise<WorkingTransaction> {
  const begun = await success(post('/v1/databases/default/transactions', {}), 201);
  const path = `/v1/transactions/${BegunTransaction.parse(begun).transactionId}`;
  const asked = await success(post(`${path}/query`, { sql: 'SELECT CONNECTION_ID()' }));
  const { rows } = asked as { rows: unknown[][] };
  let isOver = false;
  const work = async () => {
    let times = 0;
    while (!isOver) {
      await success(post(`${path}/query`, { sql }));
      times += 1;
      await delay(INTERVAL_MS);
    }
    return times;
  };
  const working = work();
  // Told by `commit`, which may come later.
  working.catch(() => undefined);
  return {
    threadId: Number(rows[0]?.[0]),
    commit: async () => {
      isOver = true;
      const times = await working;
      await success(post(`${path}/commit`, {}));
      return times;
    },
  };
}

async function success(replying: Promise<HttpReply>, expected = 200): Promise<unknown> {
  const reply = await replying;
  if (reply.status !== expected) throw new Error(`${reply.status} ${reply.text}`);
  return reply.json();
}
