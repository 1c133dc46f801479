import { BrokerError } from '../errors.ts';
import { databasePath, IN_TRANSACTION_ROUTES, TRANSACTIONS_ROUTE } from '../protocol/routes.ts';
import { BegunTransaction, EndedTransaction, type TransactionTerms } from '../protocol/transaction.ts';
import type { BrokerReply } from './broker-reply.ts';
import type { CallBudget } from './call-budget.ts';
import type { CallOptions } from './call-options.ts';
import type { Transport } from './http-transport.ts';
import { readSuccess } from './results.ts';
import { cannotCommit } from './statement-kind.ts';

/** When its time is over or its caller has gone, a transaction is still rolled back: its locks hold up others. */
const ROLLBACK_MIN_MS = 100;

type Route = keyof typeof IN_TRANSACTION_ROUTES;

interface Question extends CallOptions {
  readonly body?: object | undefined;
  readonly accept?: string | undefined;
}

/** A transaction that the broker holds open for this client. */
export class OpenTransaction {
  readonly #transport: Transport;
  readonly #id: string;
  readonly #budget: CallBudget;
  /** The broker has said that it is over. */
  #hasEnded = false;
  /** What made its content uncertain: it can only be rolled back then. */
  #doubt: unknown;

  private constructor(transport: Transport, id: string, budget: CallBudget) {
    this.#transport = transport;
    this.#id = id;
    this.#budget = budget;
  }

  /** @param budget of the whole transaction; every call gets what is left of it. */
  static async begin(
    transport: Transport,
    alias: string,
    terms: TransactionTerms,
    budget: CallBudget,
  ): Promise<OpenTransaction> {
    const reply = await transport.send({
      method: 'POST',
      path: databasePath(TRANSACTIONS_ROUTE, alias),
      body: JSON.stringify(terms),
      timeoutMs: budget.remainingMs,
      signal: budget.signal,
    });
    const { transactionId } = readSuccess(BegunTransaction, reply);
    return new OpenTransaction(transport, transactionId, budget);
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
    options: CallOptions & { readonly accept?: string },
    read: (reply: BrokerReply) => T,
  ): Promise<T> {
    this.#refuseInDoubt();
    let reply: BrokerReply;
    try {
      reply = await this.#send(route, { ...options, body });
    } catch (error) {
      throw this.#noteLostReply(error, body.sql);
    }
    return this.#noteEnd(() => read(reply));
  }

  async commit(): Promise<void> {
    this.#refuseInDoubt();
    const reply = await this.#send('commit', {});
    this.#noteEnd(() => readSuccess(EndedTransaction, reply));
  }

  /** Does not reject: the broker ends by itself what it is not told to. */
  async rollback(): Promise<void> {
    if (this.#hasEnded) return;
    const timeoutMs = Math.max(this.#budget.remainingMs, ROLLBACK_MIN_MS);
    await this.#post('rollback', { timeoutMs }).catch(() => {});
  }

  /** Nobody knows any more what it holds: whatever is asked of it from now on, but a rollback, is refused. */
  doubt(cause: unknown): void {
    this.#doubt ??= cause;
  }

  get hasEnded(): boolean {
    return this.#hasEnded;
  }

  async #send(route: Route, { timeoutMs, signal, ...question }: Question): Promise<BrokerReply> {
    const { remainingMs } = this.#budget;
    if (remainingMs === 0) throw this.#budget.exceeded('not_applied');
    return await this.#post(route, {
      ...question,
      timeoutMs: Math.min(timeoutMs ?? remainingMs, remainingMs),
      signal: anyOf(signal, this.#budget.signal),
    });
  }

  async #post(
    route: Route,
    { body, ...rest }: Question & { readonly timeoutMs: number },
  ): Promise<BrokerReply> {
    const path = IN_TRANSACTION_ROUTES[route].replace(':id', this.#id);
    return await this.#transport.send({ method: 'POST', path, body: JSON.stringify(body ?? {}), ...rest });
  }

  #refuseInDoubt(): void {
    if (this.#doubt === undefined) return;
    const message = 'A call of this transaction was cut off, so that it can only be rolled back';
    throw new BrokerError('TRANSACTION_ENDED', message, { reason: 'rolled_back', cause: this.#doubt });
  }

  /** Unless it surely was not sent, nobody knows whether the statement has run. */
  #noteLostReply(error: unknown, sql: string): unknown {
    if (error instanceof BrokerError && error.outcome === 'not_applied') return error;
    this.doubt(error);
    return error instanceof BrokerError && cannotCommit(sql) ? error.with({ outcome: 'not_applied' }) : error;
  }

  #noteEnd<T>(read: () => T): T {
    try {
      return read();
    } catch (error) {
      const isEnd =
        error instanceof BrokerError && (error.transaction === 'ended' || error.httpStatus === 410);
      if (isEnd) this.#hasEnded = true;
      throw error;
    }
  }
}

function anyOf(one: AbortSignal | undefined, other: AbortSignal | undefined): AbortSignal | undefined {
  return one && other ? AbortSignal.any([one, other]) : (one ?? other);
}
