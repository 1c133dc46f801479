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

/** Rows are written in chunks of about this size. */
const CHUNK_BYTES = 32_768;

/** Receives the lines of a stream. */
export interface NdjsonSink {
  /** Returns a promise if its buffer is full. It resolves when more may be written. */
  write(lines: Uint8Array): Promise<void> | undefined;
}

/** The result of a statement whose rows were streamed. */
export interface StreamResult extends StatementEffects {
  readonly rowCount: number;
}

/**
 * Streams the result of a statement as NDJSON. While the sink is full, the server has to wait. From the first row on the
 * deadline is replaced by a stall timeout for the server. The sink itself limits how slow its reader may be.
 */
export class RowStream implements ResultSink {
  readonly #wire: Pick<Wire, 'pause' | 'resume'>;
  readonly #sink: NdjsonSink;
  readonly #limits: StreamLimits;
  readonly #timer: StatementTimer;
  readonly #lines = new NdjsonWriter();
  #ok: OkPacket | undefined;
  #hasColumns = false;
  #rowCount = 0;
  #warnings = 0;
  /** The last row was written only in part. */
  #isBroken = false;
  #isSendDue = false;

  constructor(
    wire: Pick<Wire, 'pause' | 'resume'>,
    sink: NdjsonSink,
    limits: StreamLimits,
    timer: StatementTimer,
  ) {
    this.#wire = wire;
    this.#sink = sink;
    this.#limits = limits;
    this.#timer = timer;
  }

  startSet(columns: ColumnSet): void {
    if (this.#timer.isOver) return;
    this.#hasColumns = true;
    this.#lines.startSet(columns);
    // The columns of sets without rows wait for the first row, up to a chunk.
    if (this.#lines.length >= CHUNK_BYTES) this.#send();
  }

  addRow(row: PacketBytes): void {
    if (this.#timer.isOver) return;
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
      // Collects all rows that have arrived by then.
      this.#isSendDue = true;
      setImmediate(() => {
        this.#isSendDue = false;
        if (!this.#timer.isOver) this.#send();
      });
    }
  }

  get maxRowBytes(): number {
    return this.#timer.isOver ? 0 : this.#limits.maxRowBytes;
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

  /** Writes the rest. */
  end(counts: RowCounts = 'affected'): StreamResult {
    if (!this.#hasColumns) this.#lines.startSet(NO_COLUMNS);
    void this.#sink.write(this.#lines.take());
    return { ...effectsOf(this.#ok, counts, this.#warnings), rowCount: this.#rowCount };
  }

  /** Writes the rest of a failed statement, if it had rows. */
  breakOff(): void {
    if (this.#rowCount > 0 && !this.#isBroken) void this.#sink.write(this.#lines.take());
  }

  #exceed(name: string, max: number, actual: number): void {
    this.#timer.interrupt((outcome) => resultTooLarge({ name, max, actual }, { outcome }));
  }

  #send(): void {
    const lines = this.#lines.take();
    if (lines.length === 0) return;
    const drained = this.#sink.write(lines);
    if (drained === undefined) {
      this.#timer.setStallTimeout(this.#limits.stallMs);
      return;
    }
    this.#wire.pause();
    this.#timer.stopClock();
    void drained.then(() => {
      // By then the connection may have another holder.
      if (this.#timer.isOver) return;
      this.#timer.setStallTimeout(this.#limits.stallMs);
      this.#wire.resume();
    });
  }
}
