import { AnyCancelSignal, CancelSource } from '../../async/cancellation.ts';
import { BrokerError } from '../../errors.ts';
import type { Database } from '../databases/pool-registry.ts';
import { SharesByAlias } from '../requests/fair-shares.ts';
import type { SqlRequest } from '../requests/sql-request.ts';

/** The streams whose statements run or wait to run, by alias. */
export class StreamRegistry {
  readonly #shares = new SharesByAlias({
    code: 'TOO_MANY_STREAMS',
    noun: 'streams',
    setting: 'maxStreams',
  });
  /** Each cancels one stream. */
  readonly #cancelSources = new Set<CancelSource>();

  openCount(alias: string): number {
    return this.#shares.total(alias);
  }

  /**
   * Runs a stream's work, with a signal that `endAll` cancels too.
   *
   * @throws {BrokerError} TOO_MANY_STREAMS. Or what the work fails with.
   */
  async run<T>(
    { alias, settings: { limits }, isShared }: Database,
    sqlRequest: SqlRequest,
    work: (sqlRequest: SqlRequest) => Promise<T>,
  ): Promise<T> {
    this.#shares.acquire(alias, sqlRequest.caller, { max: limits.maxStreams, isShared });
    const source = new CancelSource();
    this.#cancelSources.add(source);
    try {
      return await work({ ...sqlRequest, signal: new AnyCancelSignal(sqlRequest.signal, source) });
    } finally {
      this.#cancelSources.delete(source);
      this.#shares.release(alias, sqlRequest.caller);
    }
  }

  /** Cancels the streams that are still open when the broker shuts down. */
  endAll(): void {
    for (const source of this.#cancelSources) {
      source.cancel(new BrokerError('DRAINING', 'The stream was cut off: the broker is shutting down'));
    }
  }
}
