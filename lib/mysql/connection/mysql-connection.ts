import { delay, StatementTimer } from '../../async/interruptible.ts';
import type { Outcome } from '../../errors.ts';
import type { Connection } from '../../pool/connection.ts';
import { VERDICT_WAIT_MS } from '../../protocol/verdict-times.ts';
import type { Driver } from '../driver/open-driver.ts';
import { PacketLimit } from '../driver/packet-limit.ts';
import { type SessionState, Wire } from '../driver/wire.ts';
import { type DriverError, endsConnection, outcomeAfterInterrupt, statementFailure } from '../errors.ts';
import { ResultCollector, rowsOf, type StatementResult } from '../result/result-collector.ts';
import { type NdjsonSink, RowStream, type StreamResult } from '../result/row-stream.ts';
import type { SqlText } from '../sql/binding/sql-text.ts';
import type { CommandRunner } from './command-runner.ts';
import type { ConnectionOptions } from './connection-options.ts';
import { endRunning } from './end-running.ts';
import type { ExecutionOptions, QueryExecutionOptions, StreamExecutionOptions } from './execution-options.ts';
import { ServerRoleMonitor } from './server-role-monitor.ts';
import { ServerTimeLimit } from './server-time-limit.ts';
import { SqlRoleMonitor } from './sql-role-monitor.ts';

/** The end of a statement. */
interface StatementEnd {
  readonly failure: DriverError | undefined;
}

/** A connection to MySQL with its session settings. It runs one statement at a time. */
export class MysqlConnection implements Connection {
  /** The state of its session. */
  readonly state: SessionState;
  readonly #wire: Wire;
  readonly #options: ConnectionOptions;
  readonly #privileges: SqlRoleMonitor;
  readonly #limit: ServerTimeLimit;
  readonly #runCommand: CommandRunner = async (sql) => await this.command(sql);
  readonly #packetLimit = new PacketLimit(this.#runCommand);
  readonly #role = new ServerRoleMonitor(this.#runCommand);
  /** The session refuses every write. */
  #isReadOnly = false;
  /** Since the session was set, something else than successful plain statements has run. */
  #isDirty = true;

  constructor(driver: Driver, options: ConnectionOptions) {
    this.#wire = new Wire(driver);
    this.state = this.#wire;
    this.#options = options;
    this.#privileges = new SqlRoleMonitor(this.#runCommand);
    this.#limit = new ServerTimeLimit(this.#runCommand, driver.flavour);
  }

  get isUsable(): boolean {
    return this.#wire.isUsable;
  }

  get unusableReason(): string | undefined {
    return this.#wire.unusableReason;
  }

  get needsReset(): boolean {
    return this.#isDirty || this.#options.resetOnCheckin !== 'auto';
  }

  get hasChangedRole(): boolean {
    return this.#role.hasChanged;
  }

  get isOutdated(): boolean {
    return this.#options.isOutdated();
  }

  /** Prepares a new login for use. */
  async begin(): Promise<void> {
    const monitors = [this.#role, this.#privileges, this.#packetLimit];
    await this.#wire.together(() => [
      this.#options.killTarget.begin(this.#runCommand),
      ...monitors.map((monitor) => monitor.begin()),
      this.setSession(),
    ]);
  }

  /** The returned function removes the listener. */
  onLost(listener: () => void): () => void {
    return this.#wire.onLost(listener);
  }

  /**
   * Runs one bound statement.
   *
   * @throws {BrokerError} with its outcome: DEADLINE_EXCEEDED, RESULT_TOO_LARGE, OVERLOADED, CONNECTION_LOST, or MySQL's
   *   error. Or the signal's reason.
   */
  async query(sql: SqlText, options: QueryExecutionOptions): Promise<StatementResult> {
    this.#packetLimit.check(sql);
    const timer = new StatementTimer(options);
    const collector = new ResultCollector(options.limits, (failure) =>
      timer.interrupt((outcome) => failure.with({ outcome })),
    );
    await this.#runTimed(options, timer, async () => {
      // A statement that reads state of the previous one must follow it directly.
      if (this.#limit.isLifted && options.readsLastStatement !== true) await this.#limit.restore();
      timer.throwIfOver();
      this.state.history.lastIsBrokers = false;
      await this.#wire.run(sql, collector);
    });
    return collector.result(options.rowCounts);
  }

  /**
   * Like `query`, but writes the rows to the sink as they arrive. Before a failure the sink has got the rows so far; if
   * there was none, it has got nothing.
   */
  async stream(sql: SqlText, options: StreamExecutionOptions, sink: NdjsonSink): Promise<StreamResult> {
    this.#packetLimit.check(sql);
    const timer = new StatementTimer(options);
    const stream = new RowStream(this.#wire, sink, options, timer);
    try {
      await this.#runTimed({ ...options, isPlain: false }, timer, async () => {
        // Keep the server's own time limit for statements that we may not be allowed to kill.
        if (options.isRead) await this.#limit.lift();
        timer.throwIfOver();
        this.state.history.lastIsBrokers = false;
        await this.#wire.run(sql, stream);
      });
    } catch (error) {
      stream.breakOff();
      throw error;
    }
    return stream.end(options.rowCounts);
  }

  /** Runs a statement of the broker, and returns its rows. */
  async command(sql: string): Promise<readonly (readonly unknown[])[]> {
    this.#isDirty = true;
    this.state.history.lastIsBrokers = true;
    const collector = new ResultCollector({ maxRows: 500, maxResultBytes: 50_000 }, () => undefined);
    await this.#wire.run(sql, collector);
    return rowsOf(collector.result());
  }

  /** Until the next reset the server refuses writes in transactions that begin from now on. */
  async makeReadOnly(): Promise<void> {
    if (this.#isReadOnly) return;
    // First: if the answer is lost, the session may be READ ONLY.
    this.#isReadOnly = true;
    await this.command('SET SESSION TRANSACTION READ ONLY');
  }

  async ping(): Promise<void> {
    await this.#wire.ping();
  }

  /** Applies the session settings to a new or reset session. */
  async setSession(): Promise<void> {
    await this.command(this.#options.sessionStatement);
    this.#isReadOnly = false;
    this.#limit.forget();
    this.#isDirty = false;
  }

  async reset(): Promise<void> {
    // The session is set after a mere ROLLBACK too: the next statement is bound for its sql_mode, which a procedure may
    // have changed.
    await this.#wire.together(() => [this.#wipe(), this.#privileges.check(), this.setSession()]);
  }

  async #wipe(): Promise<void> {
    if (this.#options.resetOnCheckin !== 'rollback') await this.#wire.reset();
    else {
      const commands = ['ROLLBACK', ...(this.#isReadOnly ? ['SET SESSION TRANSACTION READ WRITE'] : [])];
      await Promise.all(commands.map((sql) => this.command(sql)));
    }
  }

  async close(): Promise<void> {
    if (this.#wire.isRunning) await endRunning(this.#wire, this.#options);
    else {
      this.#wire.end();
      this.#wire.destroyUnlessClosed();
    }
    await this.#wire.closed;
  }

  destroy(): void {
    this.#wire.destroy();
  }

  async #runTimed(options: ExecutionOptions, timer: StatementTimer, run: () => Promise<void>): Promise<void> {
    if (timer.errorFor !== undefined) throw timer.errorFor('not_applied');
    const wasDirty = this.#isDirty;
    this.#isDirty = true;
    this.state.history.isUsed = true;
    const ended = this.#runToEnd(options, run);
    const first = await timer.raceInterrupt(ended);
    timer.end();
    if (typeof first === 'function') throw first(await this.#stop(ended, options));
    if (first.failure === undefined) {
      this.#isDirty = wasDirty || !options.isPlain || options.isReadOnly;
      return;
    }
    throw statementFailure(first.failure, {
      ...options,
      flavour: this.#wire.flavour,
      exposeMysqlMessages: this.#options.exposeMysqlMessages,
      isReadOnlyCaller: options.isReadOnly,
      isReadOnlyServer: await this.#role.confirms(first.failure),
    });
  }

  async #runToEnd(options: ExecutionOptions, run: () => Promise<void>): Promise<StatementEnd> {
    try {
      if (options.isReadOnly) await this.makeReadOnly();
      await run();
      return { failure: undefined };
    } catch (error) {
      return { failure: error instanceof Error ? error : new Error(String(error)) };
    }
  }

  /** Stops the running statement on the server. Returns its outcome, as far as that is known in time. */
  async #stop(ended: Promise<StatementEnd>, options: ExecutionOptions): Promise<Outcome> {
    const { killChannel, killTarget } = this.#options;
    // The verdict follows the rows. Until the kill arrives, reading only makes the server send more of them.
    this.#wire.pause();
    // Wait for the kill too: a late one would hit the next holder's statement.
    const killed = killChannel.killQuery(killTarget).finally(() => this.#wire.resume());
    const verdict = await Promise.race([
      Promise.all([ended, killed]).then(
        ([end]) => end,
        () => undefined,
      ),
      delay(VERDICT_WAIT_MS),
    ]);
    if (verdict === undefined) {
      this.#wire.giveUp('a statement was not known to be stopped in time');
      return options.cannotWrite ? 'not_applied' : 'unknown';
    }
    const { failure } = verdict;
    if (failure !== undefined && endsConnection(failure, this.#wire.flavour))
      this.#wire.giveUp('a statement that was stopped ended the connection');
    return outcomeAfterInterrupt(failure, { ...options, isReadOnlyCaller: options.isReadOnly });
  }
}
