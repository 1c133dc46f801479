import { assert, BrokerError, type Outcome } from '../errors.ts';
import type { Connection } from '../pool/connection.ts';
import type { ConnectionProfile } from './connection-profile.ts';
import { isKillDenied } from './control.ts';
import type { Driver } from './driver.ts';
import { isFields, isOkHeader, isRow } from './driver-events.ts';
import { type DriverError, endsConnection, outcomeAfterInterrupt, statementFailure } from './failure.ts';
import { delay, type Interrupt, watch } from './interrupt.ts';
import { PrivilegesWatch } from './privileges-watch.ts';
import type { QueryTerms } from './query-terms.ts';
import { type OkHeader, ResultCollector, type StatementResult } from './result-collector.ts';
import { RoleWatch } from './role-watch.ts';

/** How long an interrupted statement's verdict is waited for. */
const VERDICT_WAIT_MS = 200;
/** A server that has not hung up after so long will not. */
const GOODBYE_TIMEOUT_MS = 5_000;

/** A connection to MySQL with its session set. Runs one statement at a time. */
export class MysqlConnection implements Connection {
  readonly #driver: Driver;
  readonly #profile: ConnectionProfile;
  readonly #privileges: PrivilegesWatch;
  #isUsable = true;
  #isReadOnly = false;
  /** Something other than a plain statement that went well has run since the session was set. */
  #isDirty = true;
  readonly #role = new RoleWatch(async (sql) => await this.command(sql));
  #onLost: (() => void) | undefined;
  /** Fails the statement that is running. */
  #fail: ((error: DriverError) => void) | undefined;

  constructor(driver: Driver, profile: ConnectionProfile) {
    this.#driver = driver;
    this.#profile = profile;
    this.#privileges = new PrivilegesWatch((sql) => this.command(sql), driver.flavour);
    driver.connection.on('error', (error) => this.#lose(error));
    driver.socket.once('close', () => this.#lose(new Error('The connection was closed')));
  }

  get isUsable(): boolean {
    return this.#isUsable;
  }

  get needsReset(): boolean {
    return this.#isDirty || this.#profile.resetOnCheckin !== 'auto';
  }

  get hasChangedRole(): boolean {
    return this.#role.hasChanged;
  }

  /** Makes a fresh login ready for use. */
  async begin(): Promise<void> {
    await this.#role.begin();
    await this.setSession();
  }

  onLost(listener: () => void): void {
    this.#onLost = listener;
  }

  /**
   * Runs one statement, its values bound already.
   *
   * @throws {BrokerError} with the outcome: DEADLINE_EXCEEDED, RESULT_TOO_LARGE, CONNECTION_LOST, or what MySQL said.
   *   Or the signal's reason.
   */
  async query(sql: string, terms: QueryTerms): Promise<StatementResult> {
    const wasDirty = this.#isDirty;
    this.#isDirty = true;
    let interrupt: Interrupt = () => undefined;
    const interrupted = new Promise<(outcome: Outcome) => unknown>((resolve) => {
      interrupt = resolve;
    });
    const collector = new ResultCollector(terms.limits, (limit) => {
      const message = `The result exceeds ${limit.name}: ${limit.max}`;
      interrupt((outcome) => new BrokerError('RESULT_TOO_LARGE', message, { limit, outcome }));
    });
    const ended = this.#runOnTerms(sql, collector, terms).then(
      () => ({ failure: undefined }),
      (failure: DriverError) => ({ failure }),
    );
    const stopWatching = watch(terms, interrupt);
    const first = await Promise.race([ended, interrupted]);
    stopWatching();
    if (typeof first === 'function') throw first(await this.#stop(ended, terms));
    if (first.failure === undefined) {
      this.#isDirty = wasDirty || !terms.isPlain || terms.isReadOnly;
      return collector.result();
    }
    if (!terms.isReadOnly) await this.#role.doubt(first.failure);
    throw statementFailure(first.failure, {
      flavour: this.#driver.flavour,
      exposeMysqlMessages: this.#profile.exposeMysqlMessages,
      cannotWrite: terms.cannotWrite,
      effect: terms.effect,
      isReadOnlyCaller: terms.isReadOnly,
    });
  }

  /** Runs a statement of the broker's own. */
  async command(sql: string): Promise<StatementResult> {
    this.#isDirty = true;
    const collector = new ResultCollector({ maxRows: 1, maxResultBytes: 1_000 }, () => undefined);
    await this.#run(sql, collector);
    return collector.result();
  }

  async ping(): Promise<void> {
    await this.#await((done) => this.#driver.connection.ping(done));
  }

  /** Gives a session that was opened or wiped what the settings ask for. */
  async setSession(): Promise<void> {
    await this.command(this.#profile.sessionStatement);
    this.#isReadOnly = false;
    this.#isDirty = false;
  }

  async reset(): Promise<void> {
    if (this.#profile.resetOnCheckin === 'rollback') {
      await this.command('ROLLBACK');
      if (this.#isReadOnly) await this.command('SET SESSION TRANSACTION READ WRITE');
    } else {
      await this.#await((done) => this.#driver.connection.reset(done));
    }
    await this.#privileges.check();
    // After a ROLLBACK too: the next statement is bound for the session's sql_mode, whatever a procedure made of it.
    await this.setSession();
  }

  async close(): Promise<void> {
    this.#isUsable = false;
    if (this.#fail !== undefined) await this.#endRunning();
    else {
      this.#driver.connection.end();
      this.#destroyUnlessClosed();
    }
    await this.#driver.closed;
  }

  destroy(): void {
    this.#isUsable = false;
    this.#driver.socket.destroy();
  }

  /**
   * Has the server end what is running. Where it may not be killed, the goodbye waits until it has ended by itself: as
   * long as it runs, the server counts the connection.
   */
  async #endRunning(): Promise<void> {
    const { control, victim } = this.#profile;
    try {
      await control.killConnection(victim);
      // What is still on its way would be taken apart row by row before the end of the connection is seen.
      this.#driver.socket.removeAllListeners('data').resume();
      this.#destroyUnlessClosed();
    } catch (error) {
      if (isKillDenied(error)) this.#driver.connection.end();
      else this.#driver.socket.destroy();
    }
  }

  /** For a server that does not answer a goodbye. */
  #destroyUnlessClosed(): void {
    setTimeout(() => this.#driver.socket.destroy(), GOODBYE_TIMEOUT_MS).unref();
  }

  async #runOnTerms(
    sql: string,
    collector: ResultCollector,
    { isReadOnly, effect }: QueryTerms,
  ): Promise<void> {
    await this.#privileges.before(effect);
    if (isReadOnly) {
      this.#isReadOnly = true;
      await this.command('SET SESSION TRANSACTION READ ONLY');
    }
    await this.#run(sql, collector);
  }

  /** Stops the running statement on the server. What became of it, as far as it can be told in time. */
  async #stop(ended: Promise<{ failure: DriverError | undefined }>, terms: QueryTerms): Promise<Outcome> {
    const { control, victim } = this.#profile;
    // The kill must have been dealt with too: one that comes late would hit the next borrower's statement.
    const killed = control.killQuery(victim);
    const verdict = await Promise.race([
      Promise.all([ended, killed]).then(
        ([end]) => end,
        () => undefined,
      ),
      delay(VERDICT_WAIT_MS),
    ]);
    if (verdict === undefined) {
      this.#isUsable = false;
      return terms.cannotWrite ? 'not_applied' : 'unknown';
    }
    const { failure } = verdict;
    if (failure !== undefined && endsConnection(failure, this.#driver.flavour)) this.#isUsable = false;
    return outcomeAfterInterrupt(failure, { ...terms, isReadOnlyCaller: terms.isReadOnly });
  }

  /** Resolves when the statement has ended; rejects with the driver's error. */
  async #run(sql: string, collector: ResultCollector): Promise<void> {
    assert(this.#fail === undefined, 'two statements on one connection at a time');
    await new Promise<void>((resolve, reject) => {
      this.#fail = (error) => {
        this.#fail = undefined;
        if (endsConnection(error, this.#driver.flavour)) this.#isUsable = false;
        reject(error);
      };
      const statement = this.#driver.connection.query({ sql, rowsAsArray: true, typeCast: false });
      statement.on('fields', (fields: unknown) => {
        if (isFields(fields)) collector.startSet(fields);
      });
      statement.on('result', (result: unknown) => {
        if (isRow(result)) collector.addRow(result);
        else if (isOkHeader(result)) this.#finish(result, collector);
      });
      statement.on('error', (error) => this.#fail?.(error));
      statement.on('end', () => {
        this.#fail = undefined;
        resolve();
      });
    });
  }

  #finish(header: OkHeader, collector: ResultCollector): void {
    // A reset does not bring the database back.
    if (typeof header.stateChanges?.schema === 'string') this.#isUsable = false;
    collector.finishStatement(header);
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
    this.#fail?.(error);
    if (wasUsable) this.#onLost?.();
  }
}
