import { Deadline } from '../../../async/deadline.ts';
import { within } from '../../../pool/connection.ts';
import type { Driver } from '../../driver/open-driver.ts';
import { isServerError } from '../../errors.ts';
import type { CommandRunner } from '../command-runner.ts';
import {
  HiddenThreadError,
  type KillTarget,
  OtherServerError,
  UnverifiedTargetError,
} from './kill-target.ts';

/** A kill that was not sent within this time fails. */
const KILL_TIMEOUT_MS = 1_000;
/** After this time without a kill the kill connection is closed. */
const IDLE_TIMEOUT_MS = 5_000;
/** Behind a load balancer the kill connection may be on another server than the target. */
const MAX_ATTEMPTS = 3;

/** ER_NO_SUCH_THREAD: it ended by itself in the meantime. */
const NO_SUCH_THREAD = 1094;
/** ER_KILL_DENIED_ERROR: it runs a procedure with another account's rights. */
const KILL_DENIED = 1095;

/**
 * The one extra connection to a server, opened to interrupt a statement and closed when idle. Kills are sent one after
 * the other; each settles within `KILL_TIMEOUT_MS`. Before each, the server must show that it is the target's, and that
 * the thread is still the target's.
 */
export class KillConnection {
  #open: { readonly driver: Driver; readonly loginKey: string } | undefined;
  #queue: Promise<unknown> = Promise.resolve();
  #idleTimer: NodeJS.Timeout | undefined;

  /** Stops the running statement; the connection stays open. Rejects if the kill was not sent. */
  async killQuery(target: KillTarget): Promise<void> {
    await this.#enqueue(target, 'KILL QUERY');
  }

  /** Ends the connection and its statement. Rejects if the kill was not sent, or was refused. */
  async killConnection(target: KillTarget): Promise<void> {
    await this.#enqueue(target, 'KILL CONNECTION');
  }

  /** Runs `work` while this connection is closed, so that `work` may open another one. */
  async whileClosed(work: () => Promise<void>): Promise<void> {
    const turn = this.#queue.then(async () => {
      await this.close();
      await work();
    });
    this.#queue = turn.catch(() => undefined);
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

  async #enqueue(target: KillTarget, command: string): Promise<void> {
    if (!target.isKnown) throw new UnverifiedTargetError('The thread was not identified at its login');
    const deadline = Deadline.after(KILL_TIMEOUT_MS);
    const turn = this.#queue.then(async () => {
      clearTimeout(this.#idleTimer);
      try {
        await this.#kill(target, command, deadline);
      } finally {
        this.#idleTimer = setTimeout(() => void this.close(), IDLE_TIMEOUT_MS);
        this.#idleTimer.unref();
      }
    });
    this.#queue = turn.catch(() => undefined);
    await turn;
  }

  async #kill(target: KillTarget, command: string, deadline: Deadline): Promise<void> {
    for (let attempt = 1; ; attempt += 1) {
      if (deadline.hasPassed) throw new Error('The kill came too late');
      if (target.hasEnded) return;
      try {
        await this.#attempt(target, command, deadline);
        return;
      } catch (error) {
        if (!(error instanceof OtherServerError) || attempt === MAX_ATTEMPTS) throw error;
        await this.close();
      }
    }
  }

  async #attempt(target: KillTarget, command: string, deadline: Deadline): Promise<void> {
    const driver = await this.#driverFor(target, deadline);
    const runCommand: CommandRunner = async (sql) => await within(deadline.remainingMs, rowsOf(driver, sql));
    try {
      // On another server the same number is another client's thread.
      await target.verifyOn(driver, runCommand);
      await runCommand(`${command} ${target.threadId}`);
    } catch (error) {
      if (errnoOf(error) === NO_SUCH_THREAD) return;
      // After an error of the server the connection is still usable.
      if (!isServerError(error) && !(error instanceof UnverifiedTargetError)) this.#drop(driver);
      throw error;
    }
  }

  async #driverFor(target: KillTarget, deadline: Deadline): Promise<Driver> {
    const { loginKey } = target;
    const isFit = this.#open?.loginKey === loginKey && !this.#open.driver.socket.destroyed;
    if (!isFit) await this.close();
    this.#open ??= { driver: await target.login(deadline.remainingMs), loginKey };
    return this.#open.driver;
  }

  #drop(driver: Driver): void {
    this.#open = undefined;
    driver.socket.destroy();
  }
}

/** The server is the target's, but does not allow its account to kill the thread now. */
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

/** The server's error number; undefined for another error. */
function errnoOf(error: unknown): number | undefined {
  return isServerError(error) ? error.errno : undefined;
}
