import { delay, type StatementTimer } from '../../async/interruptible.ts';
import type { Outcome } from '../../errors.ts';
import { VERDICT_WAIT_MS } from '../../protocol/verdict-times.ts';
import type { Wire } from '../driver/wire.ts';
import { type DriverError, endsConnection, outcomeAfterInterrupt, statementFailure } from '../errors.ts';
import type { ConnectionOptions } from './connection-options.ts';
import type { ExecutionOptions } from './execution-options.ts';
import type { ServerRoleMonitor } from './server-role-monitor.ts';

/** The end of a statement. */
interface StatementEnd {
  readonly failure: DriverError | undefined;
}

/** Runs callers' statements over a connection, each until it has ended or its timer interrupts it. */
export class StatementRunner {
  /** Since the session was set, something else than successful plain statements has run. */
  isDirty = true;
  readonly #wire: Wire;
  readonly #options: ConnectionOptions;
  readonly #role: ServerRoleMonitor;

  constructor(wire: Wire, options: ConnectionOptions, role: ServerRoleMonitor) {
    this.#wire = wire;
    this.#options = options;
    this.#role = role;
  }

  /** @throws {BrokerError} The failure of `run`, with its outcome. Or the reason why the timer interrupted it. */
  async run(options: ExecutionOptions, timer: StatementTimer, run: () => Promise<void>): Promise<void> {
    if (timer.errorFor !== undefined) throw timer.errorFor('not_applied');
    const wasDirty = this.isDirty;
    this.isDirty = true;
    this.#wire.history.isUsed = true;
    const ended = endOf(run);
    const first = await timer.raceInterrupt(ended);
    timer.end();
    if (typeof first === 'function') throw first(await this.#stop(ended, options));
    if (first.failure === undefined) {
      this.isDirty = wasDirty || !options.isPlain || options.isReadOnly;
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

/** Never rejects. */
async function endOf(run: () => Promise<void>): Promise<StatementEnd> {
  try {
    await run();
    return { failure: undefined };
  } catch (error) {
    return { failure: error instanceof Error ? error : new Error(String(error)) };
  }
}
