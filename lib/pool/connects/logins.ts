import type { Connection, Connector, ConnectVerdict } from '../connection.ts';
import type { PoolEvents } from '../pool-events.ts';
import type { PoolOptions } from '../pool-options.ts';
import type { Slot } from '../slots/slot.ts';
import type { ConnectLimiter } from './connect-limiter.ts';

/** What is known of a login that is over. */
export interface Login {
  /** The pool's when it began. */
  readonly generation: number;
  /** Newer credentials became known while it was under way: what the server said of the older ones tells nothing of them. */
  readonly isOldNews: boolean;
}

/** Hears what came of each login. */
interface LoginOwner<C extends Connection> {
  opened(slot: Slot<C>, login: Login): void;
  failed(slot: Slot<C>, login: Login, verdict: ConnectVerdict): void;
}

/** Runs the logins of a pool, and tells gate, observers and owner what came of each. */
export class Logins<C extends Connection> {
  readonly #connector: Connector<C>;
  readonly #options: PoolOptions;
  readonly #gate: ConnectLimiter;
  readonly #events: PoolEvents;
  readonly #owner: LoginOwner<C>;
  #hasSucceeded = false;
  /** How often newer credentials became known. */
  #credentialsChanges = 0;

  constructor(
    connector: Connector<C>,
    options: PoolOptions,
    gate: ConnectLimiter,
    events: PoolEvents,
    owner: LoginOwner<C>,
  ) {
    this.#connector = connector;
    this.#options = options;
    this.#gate = gate;
    this.#events = events;
    this.#owner = owner;
  }

  async run(slot: Slot<C>, generation: number): Promise<void> {
    const sinceMs = performance.now();
    const changes = this.#credentialsChanges;
    try {
      await slot.open(this.#connector, generation, this.#options);
    } catch (error) {
      const verdict = this.#connector.verdict(error);
      const isOldNews = changes !== this.#credentialsChanges && verdict === 'credentials';
      if (!isOldNews) this.#gate.failed(error, verdict);
      this.#events.emit('connect_failed', { error });
      this.#owner.failed(slot, { generation, isOldNews }, verdict);
      return;
    }
    this.#gate.succeeded();
    const durationMs = performance.now() - sinceMs;
    if (!this.#hasSucceeded) this.#events.emit('first_connect', { durationMs });
    this.#hasSucceeded = true;
    this.#events.emit('connect', { durationMs });
    this.#owner.opened(slot, { generation, isOldNews: changes !== this.#credentialsChanges });
  }

  /** Newer credentials are known: failures of older ones tell nothing of the next login. */
  credentialsChanged(): void {
    this.#credentialsChanges += 1;
    this.#gate.forgetFailures();
  }
}
