import { expect } from 'vitest';
import { BegunTransaction } from '../../lib/protocol/transaction.ts';
import { type HttpReply, http } from './http.ts';

/** Calls of interactive transactions, as HTTP. */
export interface TransactionCalls {
  begin(body?: unknown, alias?: string): Promise<string>;
  query(id: string, sql: string, params?: unknown, signal?: AbortSignal): Promise<HttpReply>;
  call(id: string, what: 'batch' | 'commit' | 'rollback', body?: unknown): Promise<HttpReply>;
}

export function transactionCalls(url: string, key: string): TransactionCalls {
  const post = async (path: string, body: unknown, signal?: AbortSignal) =>
    await http(`${url}${path}`, {
      headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
      body: JSON.stringify(body),
      ...(signal === undefined ? {} : { signal }),
    });
  return {
    begin: async (body = {}, alias = 'default') => {
      const reply = await post(`/v1/databases/${alias}/transactions`, body);
      expect(reply.status, reply.text).toBe(201);
      return BegunTransaction.parse(reply.json()).transactionId;
    },
    query: async (id, sql, params, signal) =>
      await post(
        `/v1/transactions/${id}/query`,
        { sql, ...(params === undefined ? {} : { params }) },
        signal,
      ),
    call: async (id, what, body = {}) => await post(`/v1/transactions/${id}/${what}`, body),
  };
}

/** The status and the error of a reply that should be a failure. */
export function errorOf(reply: HttpReply): readonly [number, unknown] {
  const body = reply.json();
  return [reply.status, typeof body === 'object' && body !== null && 'error' in body ? body.error : body];
}
