import type { Driver } from '../../driver/open-driver.ts';
import type { Flavour } from '../../errors.ts';
import type { CommandRunner } from '../command-runner.ts';

/** The server's uptime is in whole seconds. */
const UPTIME_SLACK_MS = 2_000;

const SERVER_FACTS: Readonly<Record<Flavour, string>> = {
  mysql: '@@server_uuid, @@server_id, @@hostname, @@port, @@datadir, @@socket, @@pid_file, @@version',
  mariadb: '@@server_id, @@hostname, @@port, @@datadir, @@socket, @@pid_file, @@version',
};

const UPTIME: Readonly<Record<Flavour, string>> = {
  mysql: "SELECT VARIABLE_VALUE FROM performance_schema.global_status WHERE VARIABLE_NAME = 'Uptime'",
  mariadb: "SELECT VARIABLE_VALUE FROM information_schema.GLOBAL_STATUS WHERE VARIABLE_NAME = 'UPTIME'",
};

/** Identifies a thread and its server. */
interface Identity {
  readonly server: string;
  /** The client's address and port as the server sees them. No other open connection has the same. */
  readonly thread: string;
  readonly seenAtMs: number;
}

interface KillTargetOptions {
  /** Logins with equal keys may share the kill connection. */
  readonly loginKey: string;
  /** Logs in as the same user at the connection's address: a user may kill its own threads. */
  login(timeoutMs: number): Promise<Driver>;
}

/**
 * A connection whose statement may have to be killed. A thread's number is not enough: behind a load balancer the next
 * login may reach another server, and a proxy has other numbers. So the thread is identified at its login, and only an
 * identified one is killed.
 */
export class KillTarget {
  readonly threadId: number;
  readonly loginKey: string;
  readonly login: (timeoutMs: number) => Promise<Driver>;
  readonly #driver: Driver;
  #identity: Identity | undefined;

  constructor(driver: Driver, { loginKey, login }: KillTargetOptions) {
    this.threadId = driver.connection.threadId;
    this.loginKey = loginKey;
    this.login = login;
    this.#driver = driver;
  }

  /** Its connection is closed. */
  get hasEnded(): boolean {
    return this.#driver.socket.destroyed;
  }

  /** It was identified, with the same number as in the server's greeting. */
  get isKnown(): boolean {
    return this.#identity !== undefined;
  }

  /** Identifies the thread over the connection itself, at its login. Never rejects: without an answer it cannot be killed. */
  async begin(runCommand: CommandRunner): Promise<void> {
    const { flavour } = this.#driver;
    const seenAtMs = performance.now();
    const rows = await runCommand(`SELECT ${identityColumns(flavour, 'CONNECTION_ID()')}`).catch(() => []);
    const [id, server, thread] = rows[0] ?? [];
    if (String(id) !== String(this.threadId) || typeof server !== 'string' || typeof thread !== 'string')
      return;
    this.#identity = { server, thread, seenAtMs };
  }

  /**
   * Verifies that `killer` is on the same server, and that the thread is still the same.
   *
   * @throws {UnverifiedTargetError} The server is or may be another one, or the thread is not visible there.
   */
  async verifyOn(killer: Driver, runCommand: CommandRunner): Promise<void> {
    const identity = this.#identity;
    if (identity === undefined) throw new UnverifiedTargetError('The thread was not identified at its login');
    const { flavour } = this.#driver;
    const [row = []] = await runCommand(
      `SELECT ${identityColumns(flavour, String(this.threadId))}, (${UPTIME[flavour]})`,
    );
    const [id, server, thread, uptimeSeconds] = row;
    const ageMs = performance.now() - identity.seenAtMs;
    const isSameServer =
      // Behind a proxy this number differs.
      String(id) === String(killer.connection.threadId) &&
      server === identity.server &&
      uptimeSeconds !== null &&
      // Numbers start again when the server restarts.
      Number(uptimeSeconds) * 1_000 + UPTIME_SLACK_MS >= ageMs;
    if (!isSameServer) throw new OtherServerError();
    if (thread === null) throw new HiddenThreadError();
    if (thread !== identity.thread)
      throw new UnverifiedTargetError('The thread number belongs to another client now');
  }
}

/** A kill could hit another thread than the target. */
export class UnverifiedTargetError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'UnprovenError';
  }
}

/** Another login may reach the target's server. */
export class OtherServerError extends UnverifiedTargetError {
  constructor() {
    super('The kill connection is not known to be on the same server');
    this.name = 'OtherServerError';
  }
}

/** It has ended, or runs a procedure with the rights of another account, which may not be killed. */
export class HiddenThreadError extends UnverifiedTargetError {
  constructor() {
    super('The thread is not visible on its server');
    this.name = 'HiddenThreadError';
  }
}

/** All columns are strings, so that they can be compared. */
function identityColumns(flavour: Flavour, threadId: string): string {
  // Not USER: inside a procedure that is the definer.
  const thread = `SELECT HOST FROM information_schema.PROCESSLIST WHERE ID = ${threadId}`;
  return `CAST(CONNECTION_ID() AS CHAR), CONCAT_WS(' ', ${SERVER_FACTS[flavour]}), (${thread})`;
}
