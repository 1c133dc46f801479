import { NotSentError, StatementTimer } from '../../../async/interruptible.ts';
import type { PacketLimit } from '../../driver/packet-limit.ts';
import type { Wire } from '../../driver/wire.ts';
import { endsConnection, saysReadOnlyServer, statementFailure } from '../../errors.ts';
import { ResultCollector, type StatementResult } from '../../result/result-collector.ts';
import type { SqlText } from '../../sql/binding/sql-text.ts';
import type { ConnectionOptions } from '../connection-options.ts';
import type { QueryExecutionOptions } from '../execution-options.ts';
import type { StatementRunner } from '../statement-runner.ts';
import { LostPlaceError, ReadPipeline, type ReadPlace } from './read-pipeline.ts';

/** What shared reads need of their connection. */
interface SharedReadTerms {
  readonly wire: Wire;
  readonly connection: ConnectionOptions;
  readonly packetLimit: PacketLimit;
  readonly runner: StatementRunner;
  makeReadOnly(): Promise<void>;
}

interface BoundText {
  /** Put together when it is asked for. */
  readonly text: SqlText;
}

/** Runs plain reads of several callers on one connection at a time. */
export class SharedReads {
  readonly #terms: SharedReadTerms;
  readonly #pipeline: ReadPipeline;
  #readOnly: Promise<void> | undefined;

  constructor(terms: SharedReadTerms) {
    const { wire, connection } = terms;
    this.#terms = terms;
    this.#pipeline = new ReadPipeline({
      holdUpMs: connection.holdUpMs,
      kill: async () => {
        terms.runner.isDirty = true;
        // Taking rows until the kill has reached the server only makes it send more.
        wire.pause();
        await connection.killChannel.killQuery(connection.killTarget).finally(() => wire.resume());
      },
      giveUp: () => wire.giveUp('nobody waits for what was sent on it'),
      onFailure: () => {
        terms.runner.isDirty = true;
      },
      endsConnection: (failure) =>
        !(failure instanceof LostPlaceError) && endsConnection(failure, wire.flavour),
    });
  }

  /**
   * Runs one plain read that cannot write, its values bound already, beside those of others.
   *
   * @throws {LostPlaceError} Or what `MysqlConnection.query` throws.
   */
  async query(
    statement: BoundText,
    options: QueryExecutionOptions,
    place: ReadPlace,
  ): Promise<StatementResult> {
    const { wire, connection } = this.#terms;
    const text = this.#textOf(statement, place);
    const timer = new StatementTimer(options);
    const collector = new ResultCollector(options.limits, (failure) =>
      timer.interrupt((outcome) => failure.with({ outcome })),
    );
    wire.history.isUsed = true;
    const send = options.isReadOnly
      ? async () => {
          await this.#makeReadOnly(timer);
          await this.#send(text, collector);
        }
      : () => this.#send(text, collector);
    let failure: Error | undefined;
    try {
      failure = await this.#pipeline.run(timer, place, send);
    } catch (error) {
      // It may be answered all the same.
      collector.drop();
      throw error;
    }
    if (failure === undefined) return collector.result(options.rowCounts);
    if (saysReadOnlyServer(failure)) {
      throw new LostPlaceError('To ask the server whether that is so takes a connection alone', {
        cause: failure,
      });
    }
    throw statementFailure(failure, {
      ...options,
      flavour: wire.flavour,
      exposeMysqlMessages: connection.exposeMysqlMessages,
      isReadOnlyCaller: options.isReadOnly,
      isReadOnlyServer: false,
    });
  }

  #textOf(statement: BoundText, place: ReadPlace): SqlText {
    try {
      const { text } = statement;
      this.#terms.packetLimit.check(text);
      return text;
    } catch (error) {
      place.onGone();
      throw error;
    }
  }

  #send(sql: SqlText, collector: ResultCollector): Promise<void> {
    this.#terms.wire.history.lastIsBrokers = false;
    return this.#terms.wire.runAlong(sql, collector);
  }

  async #makeReadOnly(timer: StatementTimer): Promise<void> {
    try {
      // One question for all that go together; later ones find the session READ ONLY.
      this.#readOnly ??= this.#terms.makeReadOnly().finally(() => {
        this.#readOnly = undefined;
      });
      await this.#readOnly;
    } catch (error) {
      // No fault of any of those who wait for it.
      throw new LostPlaceError('The session could not be made READ ONLY', { cause: error });
    }
    if (!this.#terms.wire.isUsable || timer.isOver) throw new NotSentError();
  }
}
