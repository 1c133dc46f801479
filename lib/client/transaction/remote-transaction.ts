import { BrokerError } from '../../errors.ts';
import { databasePath, IN_TRANSACTION_ROUTES, TRANSACTIONS_ROUTE } from '../../protocol/routes.ts';
import { STREAM_TYPE } from '../../protocol/stream.ts';
import { BegunTransaction, EndedTransaction, type TransactionTerms } from '../../protocol/transaction.ts';
import type { CallOptions } from '../call-options.ts';
import { readSuccess } from '../results.ts';
import { streamedRows } from '../row-stream.ts';
import type { RowOptions } from '../rows.ts';
import { cannotCommit, isSelect } from '../statement-kind.ts';
import type { BrokerReply } from '../transport/broker-reply.ts';
import type { CallBudget } from '../transport/call-budget.ts';
import { anySignal } from '../transport/call-budget.ts';
import type { Transport } from '../transport/http-transport.ts';

/** When its time is over or its caller has gone, a transaction is still rolled back: its locks hold up others. */
const ROLLBACK_MIN_MS = 100;

type Route = keyof typeof IN_TRANSACTION_ROUTES;

interface TransactionRequest extends CallOptions {
  readonly body?: object | undefined;
  readonly streamType?: string | undefined;
}

/** A transaction that the broker holds open for this client. */
export class OpenTransaction {
  readonly #transport: Transport;
  readonly #id: string;
  /** Of the whole transaction. */
  readonly budget: CallBudget;
  /** The broker has said that it is over. */
  #hasEnded = false;
  /** What made its content uncertain. */
  #doubt: { readonly cause: unknown } | undefined;

  private constructor(transport: Transport, id: string, budget: CallBudget) {
    this.#transport = transport;
    this.#id = id;
    this.budget = budget;
  }

  /** @param budget of the whole transaction; every call gets what is left of it. */
  static async begin(
    transport: Transport,
    alias: string,
    terms: TransactionTerms,
    budget: CallBudget,
  ): Promise<OpenTransaction> {
    const path = databasePath(TRANSACTIONS_ROUTE, alias);
    const { remainingMs: timeoutMs, signal } = budget;
    try {
      const reply = await transport.send({
        method: 'POST',
        path,
        body: JSON.stringify(terms),
        timeoutMs,
        signal,
      });
      const { transactionId } = readSuccess(BegunTransaction, reply);
      return new OpenTransaction(transport, transactionId, budget);
    } catch (error) {
      throw undone(error);
    }
  }

  /**
   * Sends a statement, and reads its success.
   *
   * @throws {BrokerError} the broker's, or `BROKER_UNREACHABLE`, `DEADLINE_EXCEEDED`: their outcome is `not_applied`,
   *   because no commit follows them.
   */
  async ask<T>(
    route: 'query' | 'batch',
    body: { readonly sql: string },
    options: Omit<TransactionRequest, 'body'>,
    read: (reply: BrokerReply) => T,
  ): Promise<T> {
    this.#refuseInDoubt();
    try {
      return read(await this.#send(route, { ...options, body }));
    } catch (error) {
      throw this.#learnFrom(error, body.sql);
    }
  }

  /** The same for rows that come by and by. */
  async *stream<Row extends object>(
    body: { readonly sql: string },
    options: CallOptions,
    rowOptions: RowOptions,
  ): AsyncGenerator<Row, void, undefined> {
    const stallMs = Math.max(1, this.#shortened(options.timeoutMs));
    const watch = { stallMs, signal: anySignal(options.signal, this.budget.signal) };
    const rows = await this.ask('query', body, { ...options, streamType: STREAM_TYPE }, (reply) =>
      streamedRows<Row>(reply, rowOptions, watch, 'not_applied'),
    );
    let hasEnded = false;
    try {
      yield* rows;
      hasEnded = true;
    } catch (error) {
      throw this.#learnFrom(error, body.sql);
    } finally {
      if (!hasEnded && !isSelect(body.sql)) this.doubt(undefined);
    }
  }

  async commit(): Promise<void> {
    this.#refuseInDoubt();
    try {
      readSuccess(EndedTransaction, await this.#send('commit', {}));
    } catch (error) {
      this.#noteEnd(error);
      throw error;
    }
  }

  /** Does not reject: the broker ends by itself what it is not told to. */
  async rollback(): Promise<void> {
    if (this.#hasEnded) return;
    const timeoutMs = Math.max(this.budget.remainingMs, ROLLBACK_MIN_MS);
    await this.#post('rollback', { timeoutMs }).catch(() => {});
  }

  /** Nobody knows any more what it holds: whatever is asked of it from now on, but a rollback, is refused. */
  doubt(cause: unknown): void {
    this.#doubt ??= { cause };
  }

  get hasEnded(): boolean {
    return this.#hasEnded;
  }

  async #send(route: Route, { timeoutMs, signal, ...question }: TransactionRequest): Promise<BrokerReply> {
    if (this.budget.remainingMs === 0) throw this.budget.exceeded('not_applied');
    return await this.#post(route, {
      ...question,
      timeoutMs: this.#shortened(timeoutMs),
      signal: anySignal(signal, this.budget.signal),
    });
  }

  #shortened(timeoutMs = Number.POSITIVE_INFINITY): number {
    return Math.min(timeoutMs, this.budget.remainingMs);
  }

  async #post(
    route: Route,
    { body, ...rest }: TransactionRequest & { readonly timeoutMs: number },
  ): Promise<BrokerReply> {
    const path = IN_TRANSACTION_ROUTES[route].replace(':id', this.#id);
    return await this.#transport.send({ method: 'POST', path, body: JSON.stringify(body ?? {}), ...rest });
  }

  #refuseInDoubt(): void {
    if (this.#doubt === undefined) return;
    const message = 'A call of this transaction was cut off, so that it can only be rolled back';
    throw new BrokerError('TRANSACTION_ENDED', message, { reason: 'rolled_back', cause: this.#doubt.cause });
  }

  /** What a failed statement leaves of the transaction, as long as no procedure can have committed it. */
  #learnFrom(error: unknown, sql: string): unknown {
    this.#noteEnd(error);
    if (this.#hasEnded) return error;
    if (!(error instanceof BrokerError) || error.outcome === 'unknown') this.doubt(error);
    return cannotCommit(sql) ? undone(error) : error;
  }

  #noteEnd(error: unknown): void {
    if (error instanceof BrokerError && error.transaction === 'ended') this.#hasEnded = true;
  }
}

/** Nothing is done before the COMMIT, whatever becomes of a call. */
function undone(error: unknown): unknown {
  return error instanceof BrokerError ? error.with({ outcome: 'not_applied' }) : error;
}
