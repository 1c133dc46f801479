import { within } from '../pool/connection.ts';
import type { Driver } from './driver.ts';

/** A kill that could not be sent within this time is given up: thread ids may mean somebody else by then. */
const KILL_TIMEOUT_MS = 1_000;
/** After so long without a kill the control connection is closed. */
const IDLE_TIMEOUT_MS = 5_000;

/** ER_NO_SUCH_THREAD: it ended by itself in the meantime. */
const NO_SUCH_THREAD = 1094;
/** ER_KILL_DENIED_ERROR: it runs a procedure with somebody else's rights. */
const KILL_DENIED = 1095;

/** Whom to interrupt, and how to log in as the same user: a user may kill its own threads. */
export interface Victim {
  readonly threadId: number;
  /** Logins with equal keys may share the control connection. */
  readonly loginKey: string;
  /** Its connection has ended: there is nobody left to interrupt. */
  hasEnded(): boolean;
  login(timeoutMs: number): Promise<Driver>;
}

/**
 * The one extra connection that the broker may have on a server, opened only to interrupt a statement and closed
 * when idle. Kills are sent one after the other; each settles within `KILL_TIMEOUT_MS` of being asked for.
 */
export class Control {
  #open: { readonly driver: Driver; readonly loginKey: string } | undefined;
  #line: Promise<unknown> = Promise.resolve();
  #idleTimer: NodeJS.Timeout | undefined;

  /** Stops what the connection is running; the connection lives on. Rejects if the server could not be told. */
  async killQuery(victim: Victim): Promise<void> {
    await this.#enqueue(victim, `KILL QUERY ${victim.threadId}`);
  }

  /** Ends the connection, whatever it is running. Rejects if the server could not be told, or refused. */
  async killConnection(victim: Victim): Promise<void> {
    await this.#enqueue(victim, `KILL CONNECTION ${victim.threadId}`);
  }

  /** Never rejects, and settles even if the server does not. */
  async close(): Promise<void> {
    clearTimeout(this.#idleTimer);
    const driver = this.#open?.driver;
    this.#open = undefined;
    if (driver === undefined) return;
    driver.connection.end();
    await within(KILL_TIMEOUT_MS, driver.closed).catch(() => driver.socket.destroy());
  }

  async #enqueue(victim: Victim, sql: string): Promise<void> {
    const endMs = performance.now() + KILL_TIMEOUT_MS;
    const turn = this.#line.then(async () => {
      const leftMs = endMs - performance.now();
      if (leftMs <= 0) throw new Error('The kill came too late');
      if (!victim.hasEnded()) await this.#run(victim, sql, leftMs);
    });
    this.#line = turn.catch(() => undefined);
    await turn;
  }

  async #run(victim: Victim, sql: string, leftMs: number): Promise<void> {
    clearTimeout(this.#idleTimer);
    if (this.#open !== undefined && this.#open.loginKey !== victim.loginKey) await this.close();
    this.#open ??= { driver: await victim.login(leftMs), loginKey: victim.loginKey };
    const { driver } = this.#open;
    try {
      await within(leftMs, send(driver, sql));
    } catch (error) {
      const errno = errnoOf(error);
      if (errno === NO_SUCH_THREAD) return;
      // What the server itself refuses leaves the connection as good as it was.
      if (errno === undefined) {
        this.#open = undefined;
        driver.socket.destroy();
      }
      throw error;
    } finally {
      this.#idleTimer = setTimeout(() => void this.close(), IDLE_TIMEOUT_MS);
      this.#idleTimer.unref();
    }
  }
}

/** The server was told, and said no. */
export function isKillDenied(error: unknown): boolean {
  return errnoOf(error) === KILL_DENIED;
}

async function send({ connection }: Driver, sql: string): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    connection.query(sql, (error) => (error ? reject(error) : resolve()));
  });
}

/** What the server answered; undefined if it did not. */
function errnoOf(error: unknown): number | undefined {
  if (!(error instanceof Error) || !('errno' in error)) return undefined;
  return typeof error.errno === 'number' && error.errno > 0 ? error.errno : undefined;
}
