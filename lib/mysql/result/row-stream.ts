import type { StatementTimer } from '../../async/interruptible.ts';
import type { StreamLimits } from '../connection/execution-options.ts';
import type { ResultSink } from '../driver/text-query.ts';
import type { Wire } from '../driver/wire.ts';
import { resultTooLarge } from '../errors.ts';
import { effectsOf, type RowCounts, type StatementEffects } from '../sql/row-counts.ts';
import { type ColumnSet, NO_COLUMNS } from './column-definitions.ts';
import { NdjsonWriter } from './ndjson-writer.ts';
import type { OkPacket } from './ok-packet.ts';
import type { PacketBytes } from './packet-reader.ts';

/** So much is handed on at once, however fast it comes. */
const CHUNK_BYTES = 32_768;

/** Who takes the lines of a stream. */
export interface NdjsonSink {
  /** If the reader has enough for now, resolves when it wants more; never, if it wants none any more. */
  write(lines: Uint8Array): Promise<void> | undefined;
}

/** What a statement did whose rows were handed on. */
export interface StreamResult extends StatementEffects {
  readonly rowCount: number;
}

/**
 * Hands on what a statement answers as lines of JSON, as it comes. While the reader has enough, the server waits. From
 * the first row on the deadline is replaced by a bound for each silence of the server's; how long a reader may take is
 * the reader's to say, by hanging up.
 */
export class RowStream implements ResultSink {
  readonly #wire: Pick<Wire, 'pause' | 'resume'>;
  readonly #reader: NdjsonSink;
  readonly #limits: StreamLimits;
  readonly #watch: StatementTimer;
  readonly #lines = new NdjsonWriter();
  #ok: OkPacket | undefined;
  #hasColumns = false;
  #rowCount = 0;
  #warnings = 0;
  /** What was written ends with a row that is no row. */
  #isBroken = false;
  #isSendDue = false;

  constructor(
    wire: Pick<Wire, 'pause' | 'resume'>,
    reader: NdjsonSink,
    limits: StreamLimits,
    watch: StatementTimer,
  ) {
    this.#wire = wire;
    this.#reader = reader;
    this.#limits = limits;
    this.#watch = watch;
  }

  startSet(columns: ColumnSet): void {
    if (this.#watch.isOver) return;
    this.#hasColumns = true;
    this.#lines.startSet(columns);
    // Sets without rows: their columns wait for the first row, but not in any number.
    if (this.#lines.length >= CHUNK_BYTES) this.#send();
  }

  addRow(row: PacketBytes): void {
    if (this.#watch.isOver) return;
    const { maxRows, maxRowBytes } = this.#limits;
    if (this.#rowCount === maxRows) {
      this.#exceed('maxRows', maxRows, maxRows + 1);
      return;
    }
    const bytes = row.end - row.offset;
    if (bytes > maxRowBytes) {
      this.#exceed('maxRowBytes', maxRowBytes, bytes);
      return;
    }
    this.#rowCount += 1;
    this.#isBroken = true;
    this.#lines.addRow(row);
    this.#isBroken = false;
    if (this.#lines.length >= CHUNK_BYTES) this.#send();
    else if (!this.#isSendDue) {
      // All that the server has sent by then goes together.
      this.#isSendDue = true;
      setImmediate(() => {
        this.#isSendDue = false;
        if (!this.#watch.isOver) this.#send();
      });
    }
  }

  get maxRowBytes(): number {
    return this.#watch.isOver ? 0 : this.#limits.maxRowBytes;
  }

  refuseRow(bytes: number): void {
    const { maxRows, maxRowBytes } = this.#limits;
    if (this.#rowCount === maxRows) this.#exceed('maxRows', maxRows, maxRows + 1);
    else this.#exceed('maxRowBytes', maxRowBytes, bytes);
  }

  finishSet(warnings: number): void {
    this.#warnings = warnings;
  }

  finishStatement(ok: OkPacket): void {
    this.#ok = ok;
  }

  /** Hands on the rest. */
  end(counts: RowCounts = 'affected'): StreamResult {
    if (!this.#hasColumns) this.#lines.startSet(NO_COLUMNS);
    void this.#reader.write(this.#lines.take());
    return { ...effectsOf(this.#ok, counts, this.#warnings), rowCount: this.#rowCount };
  }

  /** Hands on the rest of a statement that failed, if rows had come. */
  breakOff(): void {
    if (this.#rowCount > 0 && !this.#isBroken) void this.#reader.write(this.#lines.take());
  }

  #exceed(name: string, max: number, actual: number): void {
    this.#watch.interrupt((outcome) => resultTooLarge({ name, max, actual }, { outcome }));
  }

  #send(): void {
    const lines = this.#lines.take();
    if (lines.length === 0) return;
    const wantsMore = this.#reader.write(lines);
    if (wantsMore === undefined) {
      this.#watch.setStallTimeout(this.#limits.stallMs);
      return;
    }
    this.#wire.pause();
    this.#watch.stopClock();
    void wantsMore.then(() => {
      // By then somebody else may have the connection.
      if (this.#watch.isOver) return;
      this.#watch.setStallTimeout(this.#limits.stallMs);
      this.#wire.resume();
    });
  }
}
