import type { Result } from '../../../lib/protocol/query.ts';
import { type Answer, type SeenRequest, StubBroker } from '../../support/stub-broker.ts';

export const RESULT: Result = {
  columns: [{ name: 'id', type: 'BIGINT', nullable: false, length: 20 }],
  rows: [['7']],
  affectedRows: 1,
  changedRows: 1,
  insertId: null,
  warnings: 0,
  durationMs: 1.5,
  queueMs: 0,
};

/** What the calls of a transaction came to: `begin`, `commit`, `rollback`, `batch`, or the SQL of a query. */
type Step = string;

/** A broker that plays along with transactions, but for the steps that a test answers itself. */
export async function startTransactions(
  answer: (step: Step, request: SeenRequest) => Answer | undefined = () => undefined,
): Promise<{ readonly broker: StubBroker; readonly steps: Step[]; readonly url: string } & AsyncDisposable> {
  const steps: Step[] = [];
  const broker = await StubBroker.start((request) => {
    const step = stepOf(request);
    steps.push(step);
    return answer(step, request) ?? usualAnswer(step);
  });
  return {
    broker,
    steps,
    url: broker.url.href,
    [Symbol.asyncDispose]: async () => await broker[Symbol.asyncDispose](),
  };
}

function stepOf({ path, body }: SeenRequest): Step {
  if (path === '/v1/databases/default/transactions') return 'begin';
  const call = /^\/v1\/transactions\/tx-1\/(\w+)$/.exec(path)?.[1] ?? path;
  return call === 'query' ? JSON.parse(body).sql : call;
}

function usualAnswer(step: Step): Answer {
  switch (step) {
    case 'begin':
      return { status: 201, json: { transactionId: 'tx-1', idleTimeoutMs: 10_000, expiresAt: '2026-11-22' } };
    case 'commit':
      return { json: { status: 'committed' } };
    case 'rollback':
      return { json: { status: 'rolled_back' } };
    case 'batch':
      return { json: { results: [{ affectedRows: 1, changedRows: 1, insertId: '9' }] } };
    default:
      return { json: RESULT };
  }
}
