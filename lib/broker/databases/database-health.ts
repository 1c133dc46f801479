import type { MysqlConnection } from '../../mysql/connection/mysql-connection.ts';
import type { QueuePool } from '../../pool/queue-pool.ts';
import { faultOf } from '../observability/fault.ts';
import { FaultRecord } from '../observability/fault-record.ts';

/** `starting`: no login has succeeded or failed yet. */
export type DatabaseState = 'starting' | 'up' | 'down';

/** The state of a database, as seen by its pool. */
export class DatabaseHealth {
  /** Logins. While they fail, open connections may still serve calls. */
  readonly logins = new FaultRecord();
  /** Fetches of the credentials. While they fail, the last good version is used. */
  readonly credentials = new FaultRecord();
  readonly #pool: QueuePool<MysqlConnection>;
  #everConnected = false;
  #lastState: DatabaseState = 'starting';
  #sinceMs = Date.now();

  constructor(pool: QueuePool<MysqlConnection>) {
    this.#pool = pool;
    pool.events.on('connect', () => {
      this.#everConnected = true;
      this.logins.noteSuccess();
      this.#updateSince();
    });
    pool.events.on('connect_failed', ({ error }) => {
      this.logins.noteFailure(faultOf(error));
      this.#updateSince();
    });
    pool.events.on('close', () => this.#updateSince());
  }

  get state(): DatabaseState {
    if (this.#pool.downReason !== undefined) return 'down';
    return this.#everConnected ? 'up' : 'starting';
  }

  /** Since when it is in this state, as ISO 8601. */
  get since(): string {
    this.#updateSince();
    return new Date(this.#sinceMs).toISOString();
  }

  /** A call failed with 5xx. */
  noteFailedCall(): void {
    this.logins.noteFailedCall();
  }

  #updateSince(): void {
    const { state } = this;
    if (state === this.#lastState) return;
    this.#lastState = state;
    this.#sinceMs = Date.now();
  }
}
