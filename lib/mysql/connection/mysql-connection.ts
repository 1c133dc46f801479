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

/** How a statement has ended. */
interface End {
  readonly failure: DriverError | undefined;
}

/** A connection to MySQL with its session set. Runs one statement at a time. */
export class MysqlConnection implements Connection {
  /** What is known of its session. */
  readonly state: SessionState;
  readonly #wire: Wire;
  readonly #profile: ConnectionOptions;
  readonly #privileges: SqlRoleMonitor;
  readonly #limit: ServerTimeLimit;
  readonly #ask: CommandRunner = async (sql) => await this.command(sql);
  readonly #packetLimit = new PacketLimit(this.#ask);
  readonly #role = new ServerRoleMonitor(this.#ask);
  /** The session refuses every write. */
  #isReadOnly = false;
  /** Something other than a plain statement that went well has run since the session was set. */
  #isDirty = true;

  constructor(driver: Driver, profile: ConnectionOptions) {
    this.#wire = new Wire(driver);
    this.state = this.#wire;
    this.#profile = profile;
    this.#privileges = new SqlRoleMonitor(this.#ask);
    this.#limit = new ServerTimeLimit(this.#ask, driver.flavour);
  }

  get isUsable(): boolean {
    return this.#wire.isUsable;
  }

  get needsReset(): boolean {
    return this.#isDirty || this.#profile.resetOnCheckin !== 'auto';
  }

  get hasChangedRole(): boolean {
    return this.#role.hasChanged;
  }

  get isOutdated(): boolean {
    return this.#profile.isOutdated();
  }

  /** Makes a fresh login ready for use. */
  async begin(): Promise<void> {
    const watches = [this.#role, this.#privileges, this.#packetLimit];
    await this.#wire.together(() => [
      this.#profile.killTarget.begin(this.#ask),
      ...watches.map((watch) => watch.begin()),
      this.setSession(),
    ]);
  }

  /** The result takes the listener away. */
  onLost(listener: () => void): () => void {
    return this.#wire.onLost(listener);
  }

  /**
   * Runs one statement, its values bound already.
   *
   * @throws {BrokerError} with the outcome: DEADLINE_EXCEEDED, RESULT_TOO_LARGE, OVERLOADED, CONNECTION_LOST, or what MySQL said.
   *   Or the signal's reason.
   */
  async query(sql: SqlText, terms: QueryExecutionOptions): Promise<StatementResult> {
    this.#packetLimit.check(sql);
    const watch = new StatementTimer(terms);
    const collector = new ResultCollector(terms.limits, (failure) =>
      watch.interrupt((outcome) => failure.with({ outcome })),
    );
    await this.#runWatched(terms, watch, async () => {
      // What asks for the last statement's results has to find that one last.
      if (this.#limit.isLifted && terms.readsLastStatement !== true) await this.#limit.restore();
      watch.throwIfOver();
      this.state.history.lastIsBrokers = false;
      await this.#wire.run(sql, collector);
    });
    return collector.result(terms.rowCounts);
  }

  /**
   * The same, but hands on its rows as they come. The reader has had what was answered before a failure; it has had
   * nothing if no row was.
   */
  async stream(sql: SqlText, terms: StreamExecutionOptions, reader: NdjsonSink): Promise<StreamResult> {
    this.#packetLimit.check(sql);
    const watch = new StatementTimer(terms);
    const stream = new RowStream(this.#wire, reader, terms, watch);
    try {
      await this.#runWatched({ ...terms, isPlain: false }, watch, async () => {
        // Keep the server's own time limit for statements that we may not be allowed to kill.
        if (terms.isRead) await this.#limit.lift();
        watch.throwIfOver();
        this.state.history.lastIsBrokers = false;
        await this.#wire.run(sql, stream);
      });
    } catch (error) {
      stream.breakOff();
      throw error;
    }
    return stream.end(terms.rowCounts);
  }

  /** Runs a statement of the broker's own. Its rows. */
  async command(sql: string): Promise<readonly (readonly unknown[])[]> {
    this.#isDirty = true;
    this.state.history.lastIsBrokers = true;
    const collector = new ResultCollector({ maxRows: 500, maxResultBytes: 50_000 }, () => undefined);
    await this.#wire.run(sql, collector);
    return rowsOf(collector.result());
  }

  /** Until the next reset the server itself refuses to write, in transactions that begin from now on. */
  async makeReadOnly(): Promise<void> {
    if (this.#isReadOnly) return;
    // First: if the answer is lost, the session may be READ ONLY.
    this.#isReadOnly = true;
    await this.command('SET SESSION TRANSACTION READ ONLY');
  }

  async ping(): Promise<void> {
    await this.#wire.ping();
  }

  /** Gives a session that was opened or wiped what the settings ask for. */
  async setSession(): Promise<void> {
    await this.command(this.#profile.sessionStatement);
    this.#isReadOnly = false;
    this.#limit.forget();
    this.#isDirty = false;
  }

  async reset(): Promise<void> {
    // After a ROLLBACK too the session is set: the next statement is bound for its sql_mode, whatever a procedure made
    // of that.
    await this.#wire.together(() => [this.#wipe(), this.#privileges.check(), this.setSession()]);
  }

  async #wipe(): Promise<void> {
    if (this.#profile.resetOnCheckin !== 'rollback') await this.#wire.reset();
    else {
      const commands = ['ROLLBACK', ...(this.#isReadOnly ? ['SET SESSION TRANSACTION READ WRITE'] : [])];
      await Promise.all(commands.map((sql) => this.command(sql)));
    }
  }

  async close(): Promise<void> {
    if (this.#wire.isRunning) await endRunning(this.#wire, this.#profile);
    else {
      this.#wire.end();
      this.#wire.destroyUnlessClosed();
    }
    await this.#wire.closed;
  }

  destroy(): void {
    this.#wire.destroy();
  }

  async #runWatched(terms: ExecutionOptions, watch: StatementTimer, run: () => Promise<void>): Promise<void> {
    if (watch.errorFor !== undefined) throw watch.errorFor('not_applied');
    const wasDirty = this.#isDirty;
    this.#isDirty = true;
    this.state.history.isUsed = true;
    const ended = this.#settle(terms, run);
    const first = await watch.raceInterrupt(ended);
    watch.end();
    if (typeof first === 'function') throw first(await this.#stop(ended, terms));
    if (first.failure === undefined) {
      this.#isDirty = wasDirty || !terms.isPlain || terms.isReadOnly;
      return;
    }
    throw statementFailure(first.failure, {
      ...terms,
      flavour: this.#wire.flavour,
      exposeMysqlMessages: this.#profile.exposeMysqlMessages,
      isReadOnlyCaller: terms.isReadOnly,
      isReadOnlyServer: await this.#role.confirms(first.failure),
    });
  }

  async #settle(terms: ExecutionOptions, run: () => Promise<void>): Promise<End> {
    try {
      if (terms.isReadOnly) await this.makeReadOnly();
      await run();
      return { failure: undefined };
    } catch (error) {
      return { failure: error instanceof Error ? error : new Error(String(error)) };
    }
  }

  /** Stops the running statement on the server. What became of it, as far as it can be told in time. */
  async #stop(ended: Promise<End>, terms: ExecutionOptions): Promise<Outcome> {
    const { killChannel, killTarget } = this.#profile;
    // The verdict comes behind the rows. Until the kill has reached the server, taking those only makes it send more.
    this.#wire.pause();
    // The kill must have been dealt with too: one that comes late would hit the next borrower's statement.
    const killed = killChannel.killQuery(killTarget).finally(() => this.#wire.resume());
    const verdict = await Promise.race([
      Promise.all([ended, killed]).then(
        ([end]) => end,
        () => undefined,
      ),
      delay(VERDICT_WAIT_MS),
    ]);
    if (verdict === undefined) {
      this.#wire.giveUp();
      return terms.cannotWrite ? 'not_applied' : 'unknown';
    }
    const { failure } = verdict;
    if (failure !== undefined && endsConnection(failure, this.#wire.flavour)) this.#wire.giveUp();
    return outcomeAfterInterrupt(failure, { ...terms, isReadOnlyCaller: terms.isReadOnly });
  }
}
