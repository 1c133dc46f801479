import type { Driver } from './driver.ts';

/** After so long without a kill the control connection is closed. */
const IDLE_TIMEOUT_MS = 5_000;

/** Whom to interrupt, and how to log in as the same user: a user may always kill its own threads. */
export interface Victim {
  readonly threadId: number;
  /** Logins with equal keys may share the control connection. */
  readonly loginKey: string;
  login(): Promise<Driver>;
}

/**
 * The one extra connection that the broker may have on a server, opened only to interrupt a statement and
 * closed when idle. Kills run one after the other.
 */
export class Control {
  #open: { readonly driver: Driver; readonly loginKey: string } | undefined;
  #line: Promise<unknown> = Promise.resolve();
  #idleTimer: NodeJS.Timeout | undefined;

  /** Stops what the connection is running; the connection lives on. Rejects if the server could not be told. */
  async killQuery(victim: Victim): Promise<void> {
    await this.#enqueue(victim, `KILL QUERY ${victim.threadId}`);
  }

  /** Ends the connection, whatever it is running. Rejects if the server could not be told. */
  async killConnection(victim: Victim): Promise<void> {
    await this.#enqueue(victim, `KILL CONNECTION ${victim.threadId}`);
  }

  async close(): Promise<void> {
    clearTimeout(this.#idleTimer);
    const driver = this.#open?.driver;
    this.#open = undefined;
    if (driver === undefined) return;
    driver.connection.end();
    await driver.closed;
  }

  async #enqueue(victim: Victim, sql: string): Promise<void> {
    const turn = this.#line.then(async () => {
      await this.#run(victim, sql);
    });
    this.#line = turn.catch(() => undefined);
    await turn;
  }

  async #run(victim: Victim, sql: string): Promise<void> {
    clearTimeout(this.#idleTimer);
    if (this.#open !== undefined && this.#open.loginKey !== victim.loginKey) await this.close();
    this.#open ??= { driver: await victim.login(), loginKey: victim.loginKey };
    const { driver } = this.#open;
    try {
      await new Promise<void>((resolve, reject) => {
        driver.connection.query(sql, (error) => (error === null ? resolve() : reject(error)));
      });
    } catch (error) {
      if (!isUnknownThread(error)) {
        this.#open = undefined;
        driver.socket.destroy();
        throw error;
      }
    }
    this.#idleTimer = setTimeout(() => void this.close(), IDLE_TIMEOUT_MS);
    this.#idleTimer.unref();
  }
}

/** ER_NO_SUCH_THREAD: it ended by itself in the meantime. */
function isUnknownThread(error: unknown): boolean {
  return error instanceof Error && 'errno' in error && error.errno === 1094;
}
