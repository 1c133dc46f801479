import type { BrokerError } from '../../errors.ts';
import { resultTooLarge } from '../errors.ts';
import { effectsOf, type RowCounts, type StatementEffects } from '../sql/row-counts.ts';
import type { ColumnSet } from './column-definitions.ts';
import type { CellEncoding } from './column-types.ts';
import { JsonWriter } from './json-writer.ts';
import type { OkPacket } from './ok-packet.ts';
import type { PacketBytes } from './packet-reader.ts';
import { writeRow } from './text-row.ts';

/** Limits the memory of all calls' results together. */
interface ResultMemory {
  /** Reserves bytes for the reply. Returns the failure if there is no room. */
  holdResult(bytes: number): BrokerError | undefined;
}

/** A result needs no reservation up to this size, and reserves this much ahead. */
const RESERVE_STEP_BYTES = 65_536;

/** Limits of one statement's result. */
export interface ResultLimits {
  readonly maxRows: number;
  readonly maxResultBytes: number;
  /** Bytes of `maxResultBytes` that earlier results of the same reply have used. Default 0. */
  readonly usedBytes?: number | undefined;
  readonly memory?: ResultMemory | undefined;
}

/** The result of a statement. */
export interface StatementResult extends StatementEffects {
  /** Each set of rows as JSON, `{"columns": [...], "rows": [...]}`; a CALL may yield several, many statements none. */
  readonly sets: readonly Buffer[];
  /** The server has reported, with the end of the statement, that no transaction is begun any more. */
  readonly endsTransaction: boolean;
}

/** The rows of the first set, for the broker's own statements. */
export function rowsOf({ sets: [set] }: StatementResult): readonly (readonly unknown[])[] {
  if (set === undefined) return [];
  const { rows }: { rows: unknown[][] } = JSON.parse(set.toString());
  return rows;
}

/**
 * Collects the result of a statement up to its limits. Beyond them it discards everything, so that memory stays bounded
 * however much the server still sends.
 */
export class ResultCollector {
  readonly #limits: ResultLimits;
  readonly #onExceeded: (failure: BrokerError) => void;
  readonly #sets: Buffer[] = [];
  /** The set that is being read. */
  #json: JsonWriter | undefined;
  #encodings: readonly CellEncoding[] = [];
  #ok: OkPacket | undefined;
  #rowCount = 0;
  #rowsInSet = 0;
  /** Bytes of the reply, without the set that is being read. */
  #bytesBefore: number;
  #warnings = 0;
  #isExceeded = false;
  #reservedBytes = RESERVE_STEP_BYTES;

  /** `onExceeded` is called once, with a failure whose outcome is not known here. */
  constructor(limits: ResultLimits, onExceeded: (failure: BrokerError) => void) {
    this.#limits = limits;
    this.#bytesBefore = limits.usedBytes ?? 0;
    this.#onExceeded = onExceeded;
  }

  startSet({ json, encodings }: ColumnSet): void {
    if (this.#isExceeded) return;
    this.#endSet();
    this.#encodings = encodings;
    this.#json = new JsonWriter();
    this.#json.addToken('{"columns":');
    this.#json.add(json);
    this.#json.addToken(',"rows":[');
    this.#fits(this.#json.length);
  }

  addRow(row: PacketBytes): void {
    const json = this.#json;
    if (this.#isExceeded || json === undefined) return;
    this.#rowCount += 1;
    this.#rowsInSet += 1;
    if (this.#rowCount > this.#limits.maxRows) {
      this.#exceed('maxRows', this.#limits.maxRows, this.#rowCount);
      return;
    }
    // A row that is too large by itself is not written.
    if (!this.#fits(row.end - row.offset)) return;
    if (this.#rowsInSet > 1) json.addToken(',');
    writeRow(json, row, this.#encodings);
    this.#fits(json.length);
  }

  get maxRowBytes(): number {
    return this.#isExceeded ? 0 : this.#limits.maxResultBytes - this.#bytesOfReply;
  }

  refuseRow(bytes: number): void {
    if (this.#isExceeded) return;
    const { maxRows, maxResultBytes } = this.#limits;
    if (this.#rowCount === maxRows) this.#exceed('maxRows', maxRows, maxRows + 1);
    else this.#exceed('maxResultBytes', maxResultBytes, this.#bytesOfReply + bytes);
  }

  finishSet(warnings: number): void {
    this.#warnings = warnings;
  }

  finishStatement(ok: OkPacket): void {
    this.#ok = ok;
  }

  /** Nobody takes the result: what still comes is not kept. */
  drop(): void {
    this.#isExceeded = true;
    this.#json = undefined;
    this.#sets.length = 0;
  }

  result(counts: RowCounts = 'affected'): StatementResult {
    this.#endSet();
    const endsTransaction = this.#ok?.changes?.transaction === '';
    return { sets: this.#sets, endsTransaction, ...effectsOf(this.#ok, counts, this.#warnings) };
  }

  get #bytesOfReply(): number {
    return this.#bytesBefore + (this.#json?.length ?? 0);
  }

  #endSet(): void {
    if (this.#json === undefined) return;
    this.#json.addToken(']}');
    const set = this.#json.take();
    this.#sets.push(set);
    this.#bytesBefore += set.length;
    this.#json = undefined;
    this.#rowsInSet = 0;
  }

  #fits(bytesOfSet: number): boolean {
    const { maxResultBytes } = this.#limits;
    const bytes = this.#bytesBefore + bytesOfSet;
    if (bytes > maxResultBytes) {
      this.#exceed('maxResultBytes', maxResultBytes, bytes);
      return false;
    }
    return bytes <= this.#reservedBytes || this.#reserve(bytes);
  }

  #reserve(bytes: number): boolean {
    this.#reservedBytes = Math.min(this.#limits.maxResultBytes, bytes + RESERVE_STEP_BYTES);
    const failure = this.#limits.memory?.holdResult(this.#reservedBytes);
    if (failure !== undefined) this.#fail(failure);
    return failure === undefined;
  }

  #exceed(name: string, max: number, actual: number): void {
    this.#fail(resultTooLarge({ name, max, actual }, {}));
  }

  #fail(failure: BrokerError): void {
    this.drop();
    this.#onExceeded(failure);
  }
}
