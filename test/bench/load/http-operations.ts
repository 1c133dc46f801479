import { BegunTransaction } from '../../../lib/protocol/transaction.ts';
import {
  anyCounter,
  anyKey,
  CALLER_KEY,
  INSERT,
  longStatement,
  SELECT_BY_KEY,
  SELECT_ROWS,
  slowStatement,
  UPDATE,
} from '../statements.ts';
import { HttpClient } from './http-client.ts';
import type { Workload } from './job.ts';
import type { LoadClient } from './loops.ts';
import type { HttpReply } from './reply-reader.ts';

type Ask = (path: string, body: object, accept?: string) => Promise<HttpReply>;
type Operation = (ask: Ask, databasePath: string, size: number) => Promise<unknown>;

const OPERATIONS: Readonly<Record<Workload['kind'], Operation>> = {
  key: (ask, path) => ask(`${path}/query`, { sql: SELECT_BY_KEY, params: [anyKey()] }),
  slow: (ask, path, size) => ask(`${path}/query`, { sql: slowStatement(size) }),
  rows: (ask, path, size) => ask(`${path}/query`, { sql: SELECT_ROWS, params: [size] }),
  insert: (ask, path) => ask(`${path}/query`, { sql: INSERT, params: [anyKey()] }),
  long: (ask, path, size) => ask(`${path}/query`, { sql: longStatement(size) }),
  transaction: (ask, path) =>
    ask(`${path}/transaction`, {
      statements: [
        { sql: SELECT_BY_KEY, params: [anyKey()] },
        { sql: UPDATE, params: [anyCounter()] },
      ],
    }),
  interactive: async (ask, path) => {
    const begun = await ask(`${path}/transactions`, {});
    const { transactionId } = BegunTransaction.parse(JSON.parse(begun.text()));
    const transactionPath = `/v1/transactions/${transactionId}`;
    await ask(`${transactionPath}/query`, { sql: SELECT_BY_KEY, params: [anyKey()] });
    await ask(`${transactionPath}/query`, { sql: UPDATE, params: [anyCounter()] });
    await ask(`${transactionPath}/commit`, {});
  },
  stream: async (ask, path, size) => {
    const body = { sql: SELECT_ROWS, params: [size] };
    const reply = await ask(`${path}/query`, body, 'application/x-ndjson');
    if (!reply.text().includes('{"end":')) throw new Error('cut off');
  },
};

export function httpClient(url: string, { kind, size, aliases }: Workload): LoadClient {
  const client = new HttpClient(url, CALLER_KEY);
  const ask: Ask = async (path, body, accept) => {
    const reply = await client.post(path, body, accept);
    if (reply.status >= 300) throw new Error(failureOf(reply));
    return reply;
  };
  let turn = 0;
  return {
    open: () => client.open(),
    operate: async () => {
      turn += 1;
      const alias = aliases === 1 ? 'default' : `alias-${turn % aliases}`;
      await OPERATIONS[kind](ask, `/v1/databases/${alias}`, size);
    },
    close: () => client.close(),
  };
}

function failureOf(reply: HttpReply): string {
  return /"code":"(\w+)"/.exec(reply.text())?.[1] ?? `status ${reply.status}`;
}
