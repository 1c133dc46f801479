import type { BrokerError } from '../../errors.ts';
import type { SqlText } from '../sql/binding/sql-text.ts';
import type { RowCounts } from '../sql/row-counts.ts';
import type { ColumnSet } from './column-definitions.ts';
import type { OkPacket } from './ok-packet.ts';
import { checkResponse, type PacketBytes } from './packet-reader.ts';
import { ResultCollector, type ResultLimits, type StatementResult } from './result-collector.ts';

/** A statement whose answer is one set of rows, or none. */
export interface SingleResultStatement {
  readonly text: SqlText;
  readonly rowCounts?: RowCounts | undefined;
  /** It may ask what the statement before it has left: both have to be in one command. */
  readonly readsLastStatement?: boolean;
  /** Called when the statement before it has ended. */
  readonly limits: () => ResultLimits;
  /** Takes the result while others may still run. @throws {BrokerError} The statements after it are for nothing. */
  readonly onResult?: (result: StatementResult) => void;
}

/** Takes in what several statements answer that are sent as one command: one result each. */
export class ResultSequence {
  readonly #statements: readonly SingleResultStatement[];
  readonly #onExceeded: (failure: BrokerError) => void;
  readonly #onRefused: (failure: unknown) => void;
  #collector: ResultCollector | undefined;
  #endedCount = 0;
  #isRefused = false;

  /**
   * @param onExceeded a result has run into its limits; its outcome is not known here.
   * @param onRefused a result was not to be accepted. Called once; none is handed on after it.
   */
  constructor(
    statements: readonly SingleResultStatement[],
    onExceeded: (failure: BrokerError) => void,
    onRefused: (failure: unknown) => void,
  ) {
    this.#statements = statements;
    this.#onExceeded = (failure) => {
      this.#isRefused = true;
      onExceeded(failure);
    };
    this.#onRefused = onRefused;
  }

  /** Every statement has answered. */
  get isComplete(): boolean {
    return this.#endedCount === this.#statements.length;
  }

  get maxRowBytes(): number {
    return this.#current.maxRowBytes;
  }

  startSet(columns: ColumnSet): void {
    this.#current.startSet(columns);
  }

  addRow(row: PacketBytes): void {
    this.#current.addRow(row);
  }

  refuseRow(bytes: number): void {
    this.#current.refuseRow(bytes);
  }

  finishSet(warnings: number): void {
    this.#current.finishSet(warnings);
    this.#finish();
  }

  finishStatement(ok: OkPacket): void {
    this.#current.finishStatement(ok);
    this.#finish();
  }

  get #current(): ResultCollector {
    this.#collector ??= new ResultCollector(this.#statement.limits(), this.#onExceeded);
    return this.#collector;
  }

  get #statement(): SingleResultStatement {
    const statement = this.#statements[this.#endedCount];
    checkResponse(statement !== undefined, 'more results than statements');
    return statement;
  }

  #finish(): void {
    const { rowCounts, onResult } = this.#statement;
    const result = this.#current.result(rowCounts);
    this.#collector = undefined;
    this.#endedCount += 1;
    if (this.#isRefused) return;
    try {
      onResult?.(result);
    } catch (error) {
      this.#isRefused = true;
      this.#onRefused(error);
    }
  }
}
