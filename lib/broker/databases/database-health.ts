import type { MysqlConnection } from '../../mysql/connection/mysql-connection.ts';
import type { QueuePool } from '../../pool/queue-pool.ts';
import { faultOf } from '../observability/fault.ts';
import { FaultRecord } from '../observability/fault-record.ts';

/** `starting`: no login has succeeded or failed yet. */
export type DatabaseState = 'starting' | 'up' | 'down';

/** How a database is doing, as far as its pool has seen. */
export class DatabaseHealth {
  /** Logins: while connections are open, calls may be served though these fail. */
  readonly logins = new FaultRecord();
  /** Looks at the credentials: the last good version serves while these fail. */
  readonly credentials = new FaultRecord();
  readonly #pool: QueuePool<MysqlConnection>;
  #everConnected = false;
  #noted: DatabaseState = 'starting';
  #sinceMs = Date.now();

  constructor(pool: QueuePool<MysqlConnection>) {
    this.#pool = pool;
    pool.events.on('connect', () => {
      this.#everConnected = true;
      this.logins.worked();
      this.#note();
    });
    pool.events.on('connect_failed', ({ error }) => {
      this.logins.failed(faultOf(error));
      this.#note();
    });
    pool.events.on('close', () => this.#note());
  }

  get state(): DatabaseState {
    if (this.#pool.downReason !== undefined) return 'down';
    return this.#everConnected ? 'up' : 'starting';
  }

  /** Since when it is in this state, as ISO 8601. */
  get since(): string {
    this.#note();
    return new Date(this.#sinceMs).toISOString();
  }

  /** A call failed for what is no fault of its caller's. */
  callFailed(): void {
    this.logins.callFailed();
  }

  #note(): void {
    const { state } = this;
    if (state === this.#noted) return;
    this.#noted = state;
    this.#sinceMs = Date.now();
  }
}
