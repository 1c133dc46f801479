import { throwFirstFailure } from '../../async/settled.ts';
import { assert } from '../../errors.ts';
import { SessionHistory } from '../connection/session-history.ts';
import { type DriverError, endsConnection, type Flavour, lossReason } from '../errors.ts';
import type { SqlText } from '../sql/binding/sql-text.ts';
import { type Command, type Internals, internalsOf } from './mysql2-internals.ts';
import type { Driver } from './open-driver.ts';
import { guardPackets } from './packet-guard.ts';
import { sendAlong, sendTogether } from './pipeline.ts';
import { SessionTracker } from './session-tracker.ts';
import { StatusCommand } from './status-command.ts';
import { type ResultSink, TextQuery } from './text-query.ts';

/** A server that has not hung up after this time is disconnected. */
const CLOSE_TIMEOUT_MS = 5_000;

/** Statements that are sent as one command. */
interface SeveralStatements {
  readonly text: SqlText;
  readonly statementCount: number;
  readonly results: ResultSink & { readonly isComplete: boolean };
}

/** The state of a session, and a way to refresh it. */
export type SessionState = Pick<Wire, 'flavour' | 'session' | 'history' | 'takesSeveral' | 'refreshStatus'>;

/** Sends commands to the server, and knows whether the connection is still usable. */
export class Wire {
  readonly flavour: Flavour;
  readonly session = new SessionTracker();
  readonly history = new SessionHistory();
  readonly #driver: Driver;
  readonly #internals: Internals;
  readonly #onLost = new Set<() => void>();
  #unusableReason: string | undefined;
  /** Each fails a statement that is running. */
  readonly #running = new Set<(error: DriverError) => void>();
  #isTogether = false;
  #takesSeveral = false;

  constructor(driver: Driver) {
    this.#driver = driver;
    this.#internals = internalsOf(driver.connection);
    guardPackets(this.#internals, () => {
      this.giveUp('the server answered beyond all bounds');
      this.destroy();
    });
    this.flavour = driver.flavour;
    driver.connection.on('error', (error) => this.#lose(error));
    // A packet out of order. A server that has to kill between two statements of a command sends none for the second.
    driver.connection.on('warn', (error: Error) => this.#breakOff(error));
    driver.socket.once('close', () => this.#lose(new Error('The connection was closed')));
  }

  /** False once it cannot serve statements any more. Final. */
  get isUsable(): boolean {
    return this.unusableReason === undefined;
  }

  /** Why it cannot serve statements any more. */
  get unusableReason(): string | undefined {
    if (this.#unusableReason !== undefined) return this.#unusableReason;
    return this.session.isUnusable ? 'another default database or character set' : undefined;
  }

  /** Whether the server, and a proxy before it, allows {@link runSeveral}. */
  get takesSeveral(): boolean {
    return this.#takesSeveral;
  }

  get isRunning(): boolean {
    return this.#running.size > 0;
  }

  /** Resolves when the connection is closed on both sides. */
  get closed(): Promise<void> {
    return this.#driver.closed;
  }

  /** Calls back once, when the connection is lost. The returned function removes the listener. */
  onLost(listener: () => void): () => void {
    this.#onLost.add(listener);
    return () => this.#onLost.delete(listener);
  }

  /** Marks it unusable, although it may still be open. The first reason counts. */
  giveUp(reason: string): void {
    this.#unusableReason ??= reason;
  }

  /** Runs a statement. Resolves when it has ended; rejects with the driver's error. */
  run(sql: SqlText, sink: ResultSink): Promise<void> {
    return this.#send((onEnd) => new TextQuery(sql, sink, this.session, onEnd));
  }

  /** The same, although others still wait for their responses: see {@link sendAlong}. */
  runAlong(sql: SqlText, sink: ResultSink): Promise<void> {
    return this.#send((onEnd) => new TextQuery(sql, sink, this.session, onEnd), true);
  }

  /**
   * Runs several statements, joined by `;`, as one command. The server stops at the first that fails. Only for this
   * command does it take several statements.
   */
  async runSeveral({ text, statementCount, results }: SeveralStatements): Promise<void> {
    this.history.questionCount += statementCount - 1;
    const ends = await this.#endsOf(() => [
      this.#allowSeveral(true),
      this.run(text, results).then(() => {
        if (!results.isComplete) this.#breakOff(new Error('fewer results than statements'));
      }),
      this.#allowSeveral(false),
    ]);
    if (ends.at(-1)?.status === 'rejected') this.giveUp('it goes on taking several statements');
    throwFirstFailure(ends);
  }

  /** Finds out whether `runSeveral` is allowed: a proxy may refuse it. Never rejects. */
  async trySeveral(): Promise<void> {
    const [on, off] = await Promise.allSettled([this.#allowSeveral(true), this.#allowSeveral(false)]);
    this.#takesSeveral = on.status === 'fulfilled' && off.status === 'fulfilled';
    if (on.status !== off.status) this.giveUp('it goes on taking several statements');
  }

  /**
   * Gets the flags of the session after a failed statement, since an error has none. ROW_COUNT(), FOUND_ROWS() and the
   * diagnostics of that statement do not change.
   *
   * @param withChanges Get the trackers' reports too. The result is false if that is impossible.
   */
  async refreshStatus(withChanges: boolean): Promise<boolean> {
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
   * Pipelines the commands of `begin`, which may be several statements: see {@link sendTogether}. Waits for all of them,
   * and rejects with the first failure.
   */
  async together(begin: () => readonly Promise<void>[]): Promise<void> {
    throwFirstFailure(await this.#endsOf(begin));
  }

  async #endsOf(begin: () => readonly Promise<void>[]): Promise<readonly PromiseSettledResult<void>[]> {
    this.#isTogether = true;
    try {
      return await Promise.allSettled(sendTogether(this.#internals, begin));
    } finally {
      this.#isTogether = false;
    }
  }

  /** Stops reading the response until `resume`, so that the server has to wait. */
  pause(): void {
    this.#driver.connection.pause();
  }

  resume(): void {
    this.#driver.connection.resume();
  }

  async ping(): Promise<void> {
    await this.#await((done) => this.#driver.connection.ping(done));
  }

  /** Resets the session (COM_RESET_CONNECTION). */
  async reset(): Promise<void> {
    this.history.wiped();
    await this.#await((done) => this.#driver.connection.reset(done));
  }

  /** Sends COM_QUIT after the commands that run. */
  end(): void {
    this.giveUp('closed by the broker');
    this.#driver.connection.end();
  }

  /** Closes the connection unless the server does soon. */
  destroyUnlessClosed(): void {
    setTimeout(() => this.destroy(), CLOSE_TIMEOUT_MS).unref();
  }

  /** Discards what still arrives: parsing the rows would delay noticing the connection's end. */
  ignoreRest(): void {
    this.#driver.socket.removeAllListeners('data').resume();
  }

  destroy(): void {
    this.giveUp('cut off by the broker');
    this.#driver.socket.destroy();
  }

  #allowSeveral(isAllowed: boolean): Promise<void> {
    return this.#send((onEnd) => StatusCommand.forSeveralStatements(isAllowed, this.session, onEnd));
  }

  #send(
    commandFor: (onEnd: (error: DriverError | undefined) => void) => Command,
    isAlong = false,
  ): Promise<void> {
    assert(!this.isRunning || this.#isTogether || isAlong, 'two statements on one connection at a time');
    this.history.questionCount += 1;
    return new Promise<void>((resolve, reject) => {
      const fail = (error: DriverError): void => {
        this.#running.delete(fail);
        if (endsConnection(error, this.flavour)) this.giveUp(lossReason(error));
        reject(error);
      };
      const end = (error: DriverError | undefined): void => {
        this.#running.delete(fail);
        if (error === undefined) resolve();
        else fail(error);
      };
      this.#running.add(fail);
      const command = commandFor(end);
      if (isAlong) sendAlong(this.#internals, command);
      else this.#internals.addCommand(command);
    });
  }

  /** Runs a command of mysql2 with a callback. A lost connection fails it too. */
  async #await(start: (done: (error: DriverError | null) => void) => void): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      // mysql2 reports success as null or as undefined.
      start((error) => (error ? reject(error) : resolve()));
    });
  }

  /** Responses cannot be assigned to statements any more. */
  #breakOff(error: Error): void {
    this.#lose(error);
    this.destroy();
  }

  #lose(error: DriverError): void {
    const wasUsable = this.#unusableReason === undefined;
    this.giveUp(lossReason(error));
    for (const fail of this.#running) fail(error);
    if (wasUsable) for (const listener of this.#onLost) listener();
  }
}
