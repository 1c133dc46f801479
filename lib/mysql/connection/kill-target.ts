import type { Driver } from '../driver/open-driver.ts';
import type { Flavour } from '../errors.ts';
import type { Ask } from './own-statement.ts';

/** The server's clock counts whole seconds, at both ends of its uptime. */
const UPTIME_SLACK_MS = 2_000;

const SERVER_FACTS: Readonly<Record<Flavour, string>> = {
  mysql: '@@server_uuid, @@server_id, @@hostname, @@port, @@datadir, @@socket, @@pid_file, @@version',
  mariadb: '@@server_id, @@hostname, @@port, @@datadir, @@socket, @@pid_file, @@version',
};

const UPTIME: Readonly<Record<Flavour, string>> = {
  mysql: "SELECT VARIABLE_VALUE FROM performance_schema.global_status WHERE VARIABLE_NAME = 'Uptime'",
  mariadb: "SELECT VARIABLE_VALUE FROM information_schema.GLOBAL_STATUS WHERE VARIABLE_NAME = 'UPTIME'",
};

/** A thread, and the server that it is a thread of. */
interface Identity {
  readonly server: string;
  /** The address and port that the server sees it come from: no other connection has those now. */
  readonly thread: string;
  readonly seenAtMs: number;
}

interface VictimOptions {
  /** Logins with equal keys may share the control connection. */
  readonly loginKey: string;
  /** Logs in as the same user, at the address that the connection goes to: a user may kill its own threads. */
  login(timeoutMs: number): Promise<Driver>;
}

/**
 * A connection whose statement may have to be interrupted. A thread's number says nothing by itself: behind a load
 * balancer the next login may reach another server, and a proxy has numbers of its own. So a thread is known by what
 * the server said of it at its login, and only one that is known is ever killed.
 */
export class KillTarget {
  readonly threadId: number;
  readonly loginKey: string;
  readonly login: (timeoutMs: number) => Promise<Driver>;
  readonly #driver: Driver;
  #identity: Identity | undefined;

  constructor(driver: Driver, { loginKey, login }: VictimOptions) {
    this.threadId = driver.connection.threadId;
    this.loginKey = loginKey;
    this.login = login;
    this.#driver = driver;
  }

  /** Its connection has ended: there is nobody left to interrupt. */
  get hasEnded(): boolean {
    return this.#driver.socket.destroyed;
  }

  /** What its server said of it is known, and that number is the one that the greeting told. */
  get isKnown(): boolean {
    return this.#identity !== undefined;
  }

  /** Asks the server over the connection itself, at its login. Never rejects: a server that tells nothing is none to kill on. */
  async begin(ask: Ask): Promise<void> {
    const { flavour } = this.#driver;
    const seenAtMs = performance.now();
    const asked = await ask(`SELECT ${identityColumns(flavour, 'CONNECTION_ID()')}`).catch(() => []);
    const [id, server, thread] = asked[0] ?? [];
    if (String(id) !== String(this.threadId) || typeof server !== 'string' || typeof thread !== 'string')
      return;
    this.#identity = { server, thread, seenAtMs };
  }

  /**
   * Looks for it on the server that `control` leads to.
   *
   * @throws {UnprovenError} The server is, or may be, another one than the victim's, or the thread is not seen there.
   */
  async proveOn(control: Driver, ask: Ask): Promise<void> {
    const identity = this.#identity;
    if (identity === undefined) throw new UnprovenError('The server has not shown whose the thread is');
    const { flavour } = this.#driver;
    const [row = []] = await ask(
      `SELECT ${identityColumns(flavour, String(this.threadId))}, (${UPTIME[flavour]})`,
    );
    const [id, server, thread, uptimeSeconds] = row;
    const ageMs = performance.now() - identity.seenAtMs;
    const isSameServer =
      // A proxy would show another number here too.
      String(id) === String(control.connection.threadId) &&
      server === identity.server &&
      uptimeSeconds !== null &&
      // Numbers begin anew when the server does.
      Number(uptimeSeconds) * 1_000 + UPTIME_SLACK_MS >= ageMs;
    if (!isSameServer) throw new OtherServerError();
    if (thread === null) throw new HiddenThreadError();
    if (thread !== identity.thread) throw new UnprovenError('The number of the thread is of somebody else');
  }
}

/** Nothing shows that a kill would hit the victim, and nobody else. */
export class UnprovenError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'UnprovenError';
  }
}

/** Another login may reach the victim's server. */
export class OtherServerError extends UnprovenError {
  constructor() {
    super('The control connection is not shown to be on the same server');
    this.name = 'OtherServerError';
  }
}

/** It has ended by itself, or runs a procedure with the rights of another account, which may not be killed. */
export class HiddenThreadError extends UnprovenError {
  constructor() {
    super('The thread is not seen on its server');
    this.name = 'HiddenThreadError';
  }
}

/** Strings all, so that every reader compares the same. */
function identityColumns(flavour: Flavour, threadId: string): string {
  // Not its USER: in a procedure of a definer's that is the definer.
  const thread = `SELECT HOST FROM information_schema.PROCESSLIST WHERE ID = ${threadId}`;
  return `CAST(CONNECTION_ID() AS CHAR), CONCAT_WS(' ', ${SERVER_FACTS[flavour]}), (${thread})`;
}
