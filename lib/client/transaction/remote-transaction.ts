import { BrokerError } from '../../errors.ts';
import { databasePath, IN_TRANSACTION_ROUTES, TRANSACTIONS_ROUTE } from '../../protocol/routes.ts';
import { STREAM_TYPE } from '../../protocol/stream.ts';
import { BegunTransaction, EndedTransaction, type TransactionTerms } from '../../protocol/transaction.ts';
import type { CallOptions } from '../call-options.ts';
import { readSuccess } from '../results.ts';
import { streamedRows } from '../row-stream.ts';
import type { RowOptions } from '../rows.ts';
import { cannotCommit, startsWithSelect } from '../statements.ts';
import type { BrokerReply } from '../transport/broker-reply.ts';
import { anySignal, type CallBudget } from '../transport/call-budget.ts';
import type { Transport } from '../transport/http-transport.ts';

/** Least time for a rollback, even after the deadline or an abort: until then the transaction holds its locks. */
const ROLLBACK_MIN_MS = 100;

type Route = keyof typeof IN_TRANSACTION_ROUTES;

interface TransactionRequest extends CallOptions {
  readonly body?: object | undefined;
  readonly streamType?: string | undefined;
}

/** A transaction that the broker holds open for this client. */
export class RemoteTransaction {
  readonly #transport: Transport;
  readonly #id: string;
  /** The budget of the whole transaction. */
  readonly budget: CallBudget;
  /** The broker has reported its end. */
  #hasEnded = false;
  /** The cause of an uncertain state: it is unknown which calls have run. */
  #uncertainty: { readonly cause: unknown } | undefined;

  private constructor(transport: Transport, id: string, budget: CallBudget) {
    this.#transport = transport;
    this.#id = id;
    this.budget = budget;
  }

  /** @param budget of the whole transaction; each call gets the rest of it. */
  static async begin(
    transport: Transport,
    alias: string,
    mode: TransactionTerms,
    budget: CallBudget,
  ): Promise<RemoteTransaction> {
    const path = databasePath(TRANSACTIONS_ROUTE, alias);
    const { remainingMs: timeoutMs, signal } = budget;
    try {
      const reply = await transport.send({
        method: 'POST',
        path,
        body: JSON.stringify(mode),
        timeoutMs,
        signal,
      });
      const { transactionId } = readSuccess(BegunTransaction, reply);
      return new RemoteTransaction(transport, transactionId, budget);
    } catch (error) {
      throw notApplied(error);
    }
  }

  /**
   * Sends a statement, and reads its reply.
   *
   * @throws {BrokerError} the broker's, or `BROKER_UNREACHABLE`, `DEADLINE_EXCEEDED`. Their outcome is `not_applied`,
   *   because no commit follows.
   */
  async run<T>(
    route: 'query' | 'batch',
    body: { readonly sql: string },
    options: Omit<TransactionRequest, 'body'>,
    read: (reply: BrokerReply) => T,
  ): Promise<T> {
    this.#refuseIfUncertain();
    try {
      return read(await this.#send(route, { ...options, body }));
    } catch (error) {
      throw this.#noteFailure(error, body.sql);
    }
  }

  /** `run` for a statement whose rows are streamed. */
  async *stream<Row extends object>(
    body: { readonly sql: string },
    options: CallOptions,
    rowOptions: RowOptions,
  ): AsyncGenerator<Row, void, undefined> {
    const stallMs = Math.max(1, this.#timeoutWithin(options.timeoutMs));
    const stall = { stallMs, signal: anySignal(options.signal, this.budget.signal) };
    const rows = await this.run('query', body, { ...options, streamType: STREAM_TYPE }, (reply) =>
      streamedRows<Row>(reply, rowOptions, stall, 'not_applied'),
    );
    let hasEnded = false;
    try {
      yield* rows;
      hasEnded = true;
    } catch (error) {
      throw this.#noteFailure(error, body.sql);
    } finally {
      if (!hasEnded && !startsWithSelect(body.sql)) this.markUncertain(undefined);
    }
  }

  async commit(): Promise<void> {
    this.#refuseIfUncertain();
    try {
      readSuccess(EndedTransaction, await this.#send('commit', {}));
    } catch (error) {
      this.#noteEnd(error);
      throw error;
    }
  }

  /** Never rejects: if it fails, the broker rolls back by itself. */
  async rollback(): Promise<void> {
    if (this.#hasEnded) return;
    const timeoutMs = Math.max(this.budget.remainingMs, ROLLBACK_MIN_MS);
    await this.#post('rollback', { timeoutMs }).catch(() => {});
  }

  /** It is unknown which calls have run: from now on everything but a rollback is refused. */
  markUncertain(cause: unknown): void {
    this.#uncertainty ??= { cause };
  }

  get hasEnded(): boolean {
    return this.#hasEnded;
  }

  async #send(route: Route, { timeoutMs, signal, ...request }: TransactionRequest): Promise<BrokerReply> {
    if (this.budget.remainingMs === 0) throw this.budget.exceeded('not_applied');
    return await this.#post(route, {
      ...request,
      timeoutMs: this.#timeoutWithin(timeoutMs),
      signal: anySignal(signal, this.budget.signal),
    });
  }

  #timeoutWithin(timeoutMs = Number.POSITIVE_INFINITY): number {
    return Math.min(timeoutMs, this.budget.remainingMs);
  }

  async #post(
    route: Route,
    { body, ...rest }: TransactionRequest & { readonly timeoutMs: number },
  ): Promise<BrokerReply> {
    const path = IN_TRANSACTION_ROUTES[route].replace(':id', this.#id);
    return await this.#transport.send({ method: 'POST', path, body: JSON.stringify(body ?? {}), ...rest });
  }

  #refuseIfUncertain(): void {
    if (this.#uncertainty === undefined) return;
    const message = 'A call of this transaction was cut off, so that it can only be rolled back';
    throw new BrokerError('TRANSACTION_ENDED', message, {
      reason: 'rolled_back',
      cause: this.#uncertainty.cause,
    });
  }

  /** Notes what a failure means for the transaction. Its outcome is `not_applied`, unless a procedure may have committed. */
  #noteFailure(error: unknown, sql: string): unknown {
    this.#noteEnd(error);
    if (this.#hasEnded) return error;
    if (!(error instanceof BrokerError) || error.outcome === 'unknown') this.markUncertain(error);
    return cannotCommit(sql) ? notApplied(error) : error;
  }

  #noteEnd(error: unknown): void {
    if (error instanceof BrokerError && error.transaction === 'ended') this.#hasEnded = true;
  }
}

/** Before the COMMIT nothing is applied, whatever a call failed with. */
function notApplied(error: unknown): unknown {
  return error instanceof BrokerError ? error.with({ outcome: 'not_applied' }) : error;
}
