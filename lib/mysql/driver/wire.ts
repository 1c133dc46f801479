import { assert } from '../../errors.ts';
import { SessionHistory } from '../connection/session-history.ts';
import { type DriverError, endsConnection, type Flavour } from '../errors.ts';
import type { SqlText } from '../sql/binding/sql-text.ts';
import { type Command, type CommandLine, commandLineOf } from './mysql2-internals.ts';
import type { Driver } from './open-driver.ts';
import { guardPackets } from './packet-guard.ts';
import { sendTogether } from './pipeline.ts';
import { SessionTracker } from './session-tracker.ts';
import { StatusCommand } from './status-command.ts';
import { type ResultSink, TextQuery } from './text-query.ts';

/** A server that has not hung up after so long will not. */
const GOODBYE_TIMEOUT_MS = 5_000;

/** What is known of a session, and how to learn more where the answers did not tell. */
export type SessionState = Pick<Wire, 'flavour' | 'session' | 'history' | 'askStatus'>;

/** Speaks to the server over a login, one command at a time, and knows whether that still makes sense. */
export class Wire {
  readonly flavour: Flavour;
  readonly session = new SessionTracker();
  readonly history = new SessionHistory();
  readonly #driver: Driver;
  readonly #line: CommandLine;
  readonly #onLost = new Set<() => void>();
  #isUsable = true;
  /** Each fails a statement that is running. */
  readonly #running = new Set<(error: DriverError) => void>();
  #isTogether = false;

  constructor(driver: Driver) {
    this.#driver = driver;
    this.#line = commandLineOf(driver.connection);
    guardPackets(this.#line, () => this.destroy());
    this.flavour = driver.flavour;
    driver.connection.on('error', (error) => this.#lose(error));
    driver.socket.once('close', () => this.#lose(new Error('The connection was closed')));
  }

  /** False once nobody can be served over it any more. Final. */
  get isUsable(): boolean {
    return this.#isUsable && !this.session.isUnusable;
  }

  get isRunning(): boolean {
    return this.#running.size > 0;
  }

  /** Resolves when the peer has let go of the connection. */
  get closed(): Promise<void> {
    return this.#driver.closed;
  }

  /** Calls back once, when the connection ends by itself, unless the result was called before. */
  onLost(listener: () => void): () => void {
    this.#onLost.add(listener);
    return () => this.#onLost.delete(listener);
  }

  /** Nobody can be served over it any more, although it may still be open. */
  giveUp(): void {
    this.#isUsable = false;
  }

  /** Runs a statement. Resolves when it has ended; rejects with the driver's error. */
  run(sql: SqlText, sink: ResultSink): Promise<void> {
    return this.#send((onEnd) => new TextQuery(sql, sink, this.session, onEnd));
  }

  /**
   * Has the server tell the flags of the session, behind a statement that failed: an error tells none. What that
   * statement has left for ROW_COUNT(), FOUND_ROWS() and the diagnostics stays as it is.
   *
   * @param withChanges also what its trackers report. False: it cannot be had.
   */
  async askStatus(withChanges: boolean): Promise<boolean> {
    const { database } = this.#driver.connection.config;
    const asksChanges = withChanges && database !== undefined;
    await this.together(() => [
      ...(asksChanges
        ? [this.#send((onEnd) => StatusCommand.forChanges(database, this.session, onEnd))]
        : []),
      this.#send((onEnd) => StatusCommand.forFlags(this.session, onEnd)),
    ]);
    return asksChanges || !withChanges;
  }

  /**
   * What `begin` asks is sent in one go, without waiting for the answers in between: see {@link sendTogether}. It may
   * be more than one statement.
   */
  async together(begin: () => readonly Promise<void>[]): Promise<void> {
    this.#isTogether = true;
    try {
      const answers = sendTogether(this.#line, this.#driver.socket, begin);
      await Promise.all(answers);
    } finally {
      this.#isTogether = false;
    }
  }

  /** Takes nothing more of the answer, so that the server has to wait, until `resume`. */
  pause(): void {
    this.#driver.connection.pause();
  }

  resume(): void {
    this.#driver.connection.resume();
  }

  async ping(): Promise<void> {
    await this.#await((done) => this.#driver.connection.ping(done));
  }

  /** Wipes the session. */
  async reset(): Promise<void> {
    this.history.wiped();
    await this.#await((done) => this.#driver.connection.reset(done));
  }

  /** Says goodbye behind whatever is running. */
  end(): void {
    this.#isUsable = false;
    this.#driver.connection.end();
  }

  /** Cuts the connection off unless the server hangs up soon. */
  destroyUnlessClosed(): void {
    setTimeout(() => this.destroy(), GOODBYE_TIMEOUT_MS).unref();
  }

  /** What still arrives is not looked at: it would be taken apart row by row before the connection's end is seen. */
  ignoreRest(): void {
    this.#driver.socket.removeAllListeners('data').resume();
  }

  destroy(): void {
    this.#isUsable = false;
    this.#driver.socket.destroy();
  }

  #send(commandFor: (onEnd: (error: DriverError | undefined) => void) => Command): Promise<void> {
    assert(!this.isRunning || this.#isTogether, 'two statements on one connection at a time');
    this.history.questionCount += 1;
    return new Promise<void>((resolve, reject) => {
      const fail = (error: DriverError): void => {
        this.#running.delete(fail);
        if (endsConnection(error, this.flavour)) this.#isUsable = false;
        reject(error);
      };
      const end = (error: DriverError | undefined): void => {
        this.#running.delete(fail);
        if (error === undefined) resolve();
        else fail(error);
      };
      this.#running.add(fail);
      this.#line.addCommand(commandFor(end));
    });
  }

  /** A command of the driver's that answers by callback; a connection lost meanwhile fails it too. */
  async #await(start: (done: (error: DriverError | null) => void) => void): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      // mysql2 reports success as null or as undefined.
      start((error) => (error ? reject(error) : resolve()));
    });
  }

  #lose(error: DriverError): void {
    const wasUsable = this.#isUsable;
    this.#isUsable = false;
    for (const fail of this.#running) fail(error);
    if (wasUsable) for (const listener of this.#onLost) listener();
  }
}
