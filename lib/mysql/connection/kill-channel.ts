import { Deadline } from '../../async/deadline.ts';
import { within } from '../../pool/connection.ts';
import type { Driver } from '../driver/open-driver.ts';
import { isServerError } from '../errors.ts';
import { HiddenThreadError, type KillTarget, OtherServerError, UnprovenError } from './kill-target.ts';
import type { Ask } from './own-statement.ts';

/** A kill that could not be sent within this time is given up. */
const KILL_TIMEOUT_MS = 1_000;
/** After so long without a kill the control connection is closed. */
const IDLE_TIMEOUT_MS = 5_000;
/** The connection that is open, or the next login, may be on another server than the victim, behind a load balancer. */
const MAX_ATTEMPTS = 3;

/** ER_NO_SUCH_THREAD: it ended by itself in the meantime. */
const NO_SUCH_THREAD = 1094;
/** ER_KILL_DENIED_ERROR: it runs a procedure with somebody else's rights. */
const KILL_DENIED = 1095;

/**
 * The one extra connection that the broker may have on a server, opened only to interrupt a statement and closed
 * when idle. Kills are sent one after the other; each settles within `KILL_TIMEOUT_MS` of being asked for. None is sent
 * before the server has shown that it is the victim's, and that the thread is still the victim's.
 */
export class KillConnection {
  #open: { readonly driver: Driver; readonly loginKey: string } | undefined;
  #line: Promise<unknown> = Promise.resolve();
  #idleTimer: NodeJS.Timeout | undefined;

  /** Stops what the connection is running; the connection lives on. Rejects if the victim's server could not be told. */
  async killQuery(victim: KillTarget): Promise<void> {
    await this.#enqueue(victim, 'KILL QUERY');
  }

  /** Ends the connection, whatever it is running. Rejects if the victim's server could not be told, or refused. */
  async killConnection(victim: KillTarget): Promise<void> {
    await this.#enqueue(victim, 'KILL CONNECTION');
  }

  /** Runs `work`, which may have a connection of its own meanwhile, while this one has none. */
  async alone(work: () => Promise<void>): Promise<void> {
    const turn = this.#line.then(async () => {
      await this.close();
      await work();
    });
    this.#line = turn.catch(() => undefined);
    await turn;
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

  async #enqueue(victim: KillTarget, command: string): Promise<void> {
    if (!victim.isKnown) throw new UnprovenError('The server has not shown whose the thread is');
    const deadline = Deadline.after(KILL_TIMEOUT_MS);
    const turn = this.#line.then(async () => {
      clearTimeout(this.#idleTimer);
      try {
        await this.#kill(victim, command, deadline);
      } finally {
        this.#idleTimer = setTimeout(() => void this.close(), IDLE_TIMEOUT_MS);
        this.#idleTimer.unref();
      }
    });
    this.#line = turn.catch(() => undefined);
    await turn;
  }

  async #kill(victim: KillTarget, command: string, deadline: Deadline): Promise<void> {
    for (let attempt = 1; ; attempt += 1) {
      if (deadline.hasPassed) throw new Error('The kill came too late');
      if (victim.hasEnded) return;
      try {
        await this.#attempt(victim, command, deadline);
        return;
      } catch (error) {
        if (!(error instanceof OtherServerError) || attempt === MAX_ATTEMPTS) throw error;
        await this.close();
      }
    }
  }

  async #attempt(victim: KillTarget, command: string, deadline: Deadline): Promise<void> {
    const driver = await this.#driverFor(victim, deadline);
    const ask: Ask = async (sql) => await within(deadline.remainingMs, rowsOf(driver, sql));
    try {
      // Another server's thread of this number would be an innocent's.
      await victim.proveOn(driver, ask);
      await ask(`${command} ${victim.threadId}`);
    } catch (error) {
      if (errnoOf(error) === NO_SUCH_THREAD) return;
      // What the server itself answers leaves the connection as good as it was.
      if (!isServerError(error) && !(error instanceof UnprovenError)) this.#drop(driver);
      throw error;
    }
  }

  async #driverFor(victim: KillTarget, deadline: Deadline): Promise<Driver> {
    const { loginKey } = victim;
    const isFit = this.#open?.loginKey === loginKey && !this.#open.driver.socket.destroyed;
    if (!isFit) await this.close();
    this.#open ??= { driver: await victim.login(deadline.remainingMs), loginKey };
    return this.#open.driver;
  }

  #drop(driver: Driver): void {
    this.#open = undefined;
    driver.socket.destroy();
  }
}

/** The server is the victim's, but lets nobody of its account end it now. */
export function isKillDenied(error: unknown): boolean {
  return error instanceof HiddenThreadError || errnoOf(error) === KILL_DENIED;
}

async function rowsOf({ connection }: Driver, sql: string): Promise<readonly (readonly unknown[])[]> {
  const rows = await new Promise<unknown>((resolve, reject) => {
    connection.query({ sql, rowsAsArray: true }, (error, answer) =>
      error ? reject(error) : resolve(answer),
    );
  });
  return Array.isArray(rows) ? rows : [];
}

/** What the server answered; undefined if it did not. */
function errnoOf(error: unknown): number | undefined {
  return isServerError(error) ? error.errno : undefined;
}
