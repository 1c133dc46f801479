import { BrokerError } from '../errors.ts';
import { EitherStop, Stop } from '../pool/stop.ts';
import type { Database } from './pool-registry.ts';
import type { SqlCall } from './sql-call.ts';

/** The streams whose statements run or wait to run, by alias. */
export class StreamRegistry {
  readonly #openCounts = new Map<string, number>();
  /** Each stops one stream. */
  readonly #stops = new Set<Stop>();

  openCount(alias: string): number {
    return this.#openCounts.get(alias) ?? 0;
  }

  /**
   * Runs a stream's work, which may be told to stop earlier than its call was.
   *
   * @throws {BrokerError} TOO_MANY_STREAMS. Or what the work fails with.
   */
  async run<T>(
    { alias, settings: { limits } }: Database,
    sqlCall: SqlCall,
    work: (sqlCall: SqlCall) => Promise<T>,
  ): Promise<T> {
    const max = limits.maxStreams;
    const actual = this.openCount(alias) + 1;
    if (actual > max) {
      throw new BrokerError('TOO_MANY_STREAMS', `At most ${max} streams may be open at a time`, {
        limit: { name: 'maxStreams', max, actual },
      });
    }
    const stop = new Stop();
    this.#stops.add(stop);
    this.#openCounts.set(alias, actual);
    try {
      return await work({ ...sqlCall, signal: new EitherStop(sqlCall.signal, stop) });
    } finally {
      this.#stops.delete(stop);
      this.#openCounts.set(alias, this.openCount(alias) - 1);
    }
  }

  /** Stops whatever is left when the broker goes. */
  endAll(): void {
    for (const stop of this.#stops) {
      stop.raise(new BrokerError('DRAINING', 'The stream was cut off: the broker is shutting down'));
    }
  }
}
