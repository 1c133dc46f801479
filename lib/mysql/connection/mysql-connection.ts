import { StatementTimer } from '../../async/interruptible.ts';
import type { Connection } from '../../pool/connection.ts';
import type { Driver } from '../driver/open-driver.ts';
import { PacketLimit } from '../driver/packet-limit.ts';
import { type SessionState, Wire } from '../driver/wire.ts';
import { ResultCollector, rowsOf, type StatementResult } from '../result/result-collector.ts';
import type { SingleResultStatement } from '../result/result-sequence.ts';
import { type NdjsonSink, RowStream, type StreamResult } from '../result/row-stream.ts';
import type { SqlText } from '../sql/binding/sql-text.ts';
import type { CommandRunner } from './command-runner.ts';
import type { ConnectionOptions } from './connection-options.ts';
import type { ExecutionOptions, QueryExecutionOptions, StreamExecutionOptions } from './execution-options.ts';
import { endRunning } from './kill/end-running.ts';
import { SharedReads } from './pipelining/shared-reads.ts';
import { ServerRoleMonitor } from './server-role-monitor.ts';
import { ServerTimeLimit } from './server-time-limit.ts';
import { SqlRoleMonitor } from './sql-role-monitor.ts';
import { StatementRunner } from './statement-runner.ts';
import { READ_ONLY, StatementSequence } from './statement-sequence.ts';

/** A connection to MySQL with its session settings. It runs one statement at a time, or reads that share it. */
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
  readonly #runner: StatementRunner;
  /** Reads that share it with others, where a `PooledConnection` `isShared`. */
  readonly sharedReads: SharedReads;
  /** A reset that was sent together with a statement, until `reset` has waited for it. */
  #pendingReset: Promise<void> | undefined;

  constructor(driver: Driver, options: ConnectionOptions) {
    this.#wire = new Wire(driver);
    this.state = this.#wire;
    this.#options = options;
    this.#privileges = new SqlRoleMonitor(this.#runCommand);
    this.#limit = new ServerTimeLimit(this.#runCommand, driver.flavour);
    this.#runner = new StatementRunner(this.#wire, options, this.#role);
    this.sharedReads = new SharedReads({
      wire: this.#wire,
      runner: this.#runner,
      connection: options,
      packetLimit: this.#packetLimit,
      makeReadOnly: async () => await this.makeReadOnly(),
    });
  }

  get isUsable(): boolean {
    return this.#wire.isUsable;
  }

  get unusableReason(): string | undefined {
    return this.#wire.unusableReason;
  }

  get needsReset(): boolean {
    return (
      this.#runner.isDirty || this.#pendingReset !== undefined || this.#options.resetOnCheckin !== 'auto'
    );
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
      this.#wire.trySeveral(),
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
    if (this.#pendingReset !== undefined) await this.reset();
    this.#packetLimit.check(sql);
    const timer = new StatementTimer(options);
    const collector = new ResultCollector(options.limits, (failure) =>
      timer.interrupt((outcome) => failure.with({ outcome })),
    );
    await this.#runner.run(options, timer, async () => {
      if (options.isReadOnly) await this.makeReadOnly();
      // A statement that reads state of the previous one must follow it directly.
      if (this.#limit.isLifted && options.readsLastStatement !== true) await this.#limit.restore();
      timer.throwIfOver();
      this.state.history.lastIsBrokers = false;
      await this.#wire.run(sql, collector);
    });
    return collector.result(options.rowCounts);
  }

  /** Like `query`, but resets the session with the same round trip: the `reset` after it only waits. */
  async queryAndReset(sql: string, options: QueryExecutionOptions): Promise<StatementResult> {
    const timer = new StatementTimer(options);
    const collector = new ResultCollector(options.limits, () => undefined);
    await this.#runner.run(options, timer, async () => {
      timer.throwIfOver();
      let ended: Promise<void> | undefined;
      const reset = this.#wire.together(() => {
        ended = this.#wire.run(sql, collector);
        return [ended.catch(() => undefined), ...this.#resetCommands()];
      });
      const settled = reset.catch(() => undefined);
      // The server may have to be asked for the cause of a failure.
      await ended?.catch(async (error: unknown) => {
        await settled;
        throw error;
      });
      this.#pendingReset = reset;
    });
    return collector.result();
  }

  /**
   * Runs several statements as one command, in order; the server stops at the first that fails. A result that is not
   * accepted stops those after it, unless they end soon.
   *
   * @throws {BrokerError} as `query` does, or what `onResult` throws, whichever was first.
   */
  async querySeveral(statements: readonly SingleResultStatement[], options: ExecutionOptions): Promise<void> {
    const timer = new StatementTimer(options);
    const needsReadOnly = options.isReadOnly && !this.#isReadOnly;
    const sequence = new StatementSequence(statements, timer, needsReadOnly);
    this.#packetLimit.check(sequence.text);
    const running = this.#runner.run(options, timer, async () => {
      if (this.#limit.isLifted) await this.#limit.restore();
      timer.throwIfOver();
      this.#isReadOnly ||= options.isReadOnly;
      await this.#wire.runSeveral(sequence);
    });
    await sequence.end(running);
    // ROW_COUNT() is -1 after the command that ends them.
    this.state.history.lastIsBrokers = true;
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
      await this.#runner.run({ ...options, isPlain: false }, timer, async () => {
        if (options.isReadOnly) await this.makeReadOnly();
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
    this.#runner.isDirty = true;
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
    await this.command(READ_ONLY);
  }

  async ping(): Promise<void> {
    await this.#wire.ping();
  }

  /** Applies the session settings to a new or reset session. */
  async setSession(): Promise<void> {
    await this.command(this.#options.sessionStatement);
    this.#isReadOnly = false;
    this.#limit.forget();
    this.#runner.isDirty = false;
  }

  async reset(): Promise<void> {
    const pending = this.#pendingReset;
    this.#pendingReset = undefined;
    await (pending ?? this.#wire.together(() => this.#resetCommands()));
    this.#runner.isDirty = false;
  }

  #resetCommands(): readonly Promise<void>[] {
    // The session is set after a mere ROLLBACK too: the next statement is bound for its sql_mode, which a procedure may
    // have changed.
    return [this.#wipe(), this.#privileges.check(), this.setSession()];
  }

  async #wipe(): Promise<void> {
    if (this.#options.resetOnCheckin !== 'rollback') await this.#wire.reset();
    else {
      const commands = ['ROLLBACK', ...(this.#isReadOnly ? ['SET SESSION TRANSACTION READ WRITE'] : [])];
      await Promise.all(commands.map((sql) => this.command(sql)));
    }
  }

  async close(): Promise<void> {
    if (this.#wire.isRunning && this.#pendingReset === undefined) await endRunning(this.#wire, this.#options);
    else {
      this.#wire.end();
      this.#wire.destroyUnlessClosed();
    }
    await this.#wire.closed;
  }

  destroy(): void {
    this.#wire.destroy();
  }
}
