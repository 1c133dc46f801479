import { AnyCancelSignal, CancelSource } from '../../async/cancellation.ts';
import { BrokerError } from '../../errors.ts';
import type { Database } from '../databases/pool-registry.ts';
import { SharesByAlias } from '../requests/fair-shares.ts';
import type { SqlRequest } from '../requests/sql-request.ts';

/** The streams whose statements run or wait to run, by alias. */
export class StreamRegistry {
  readonly #shares = new SharesByAlias();
  /** Each stops one stream. */
  readonly #stops = new Set<CancelSource>();

  openCount(alias: string): number {
    return this.#shares.of(alias).total;
  }

  /**
   * Runs a stream's work, which may be told to stop earlier than its call was.
   *
   * @throws {BrokerError} TOO_MANY_STREAMS. Or what the work fails with.
   */
  async run<T>(
    { alias, settings: { limits }, isShared }: Database,
    sqlCall: SqlRequest,
    work: (sqlCall: SqlRequest) => Promise<T>,
  ): Promise<T> {
    const { maxStreams } = limits;
    const shares = this.#shares.of(alias);
    const refusal = shares.take(sqlCall.caller, { max: maxStreams, isShared });
    if (refusal !== undefined) {
      const { max, actual, own } = refusal;
      throw new BrokerError(
        'TOO_MANY_STREAMS',
        `At most ${maxStreams} streams may be open at a time, shared fairly by the callers; ${own} are this caller's`,
        { limit: { name: 'maxStreams', max, actual }, details: { own } },
      );
    }
    const stop = new CancelSource();
    this.#stops.add(stop);
    try {
      return await work({ ...sqlCall, signal: new AnyCancelSignal(sqlCall.signal, stop) });
    } finally {
      this.#stops.delete(stop);
      shares.giveBack(sqlCall.caller);
    }
  }

  /** Stops whatever is left when the broker goes. */
  endAll(): void {
    for (const stop of this.#stops) {
      stop.cancel(new BrokerError('DRAINING', 'The stream was cut off: the broker is shutting down'));
    }
  }
}
