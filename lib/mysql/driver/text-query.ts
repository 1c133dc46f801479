import type { DriverError } from '../errors.ts';
import { type ColumnSet, ColumnSetReader } from '../result/column-definitions.ts';
import { MORE_RESULTS, type OkPacket, readOkPacket } from '../result/ok-packet.ts';
import { checkAnswer, type PacketBytes, PacketReader, ProtocolError } from '../result/packet-reader.ts';
import { bytesOf, type SqlText, writeText } from '../sql/binding/sql-text.ts';
import {
  type AnswerPacket,
  type Command,
  type CommandLine,
  type RequestPacket,
  tracksSession,
} from './mysql2-internals.ts';
import type { GuardedCommand } from './packet-guard.ts';
import type { SessionTracker } from './session-tracker.ts';

/** Takes in what a statement answers, as it arrives. */
export interface ResultSink {
  startSet(columns: ColumnSet): void;
  /** The packet must be read at once: its bytes are gone afterwards. */
  addRow(row: PacketBytes): void;
  /** A row of more bytes is not kept until it has come: it is refused. */
  readonly maxRowBytes: number;
  /** A row of so many bytes or more has begun to come, in place of which no row is added. */
  refuseRow(bytes: number): void;
  /** The rows of a set have ended. */
  finishSet(warnings: number): void;
  finishStatement(ok: OkPacket): void;
}

/** What the next packet of an answer is. */
type State = 'head' | 'column' | 'columns-end' | 'row';

const COM_QUERY = 0x03;
const HEAD_BYTES = 4;
const OK = 0x00;
/** In an EOF packet, behind its mark. */
const WARNINGS_OFFSET = 1;
/** The server asks for a file, as LOAD DATA LOCAL has it. */
const FILE_WANTED = 0xfb;

/**
 * A statement under the text protocol (COM_QUERY), in place of mysql2's own: which makes an object of each column and
 * each row, and parsers for them.
 */
export class TextQuery implements Command, GuardedCommand {
  next: State | null = null;
  readonly #sql: SqlText;
  readonly #sink: ResultSink;
  readonly #session: SessionTracker;
  readonly #onEnd: (error: DriverError | undefined) => void;
  #columns: ColumnSetReader | undefined;

  /** `onEnd` hears of the end, unless the connection ends before. */
  constructor(
    sql: SqlText,
    sink: ResultSink,
    session: SessionTracker,
    onEnd: (error: DriverError | undefined) => void,
  ) {
    this.#sql = sql;
    this.#sink = sink;
    this.#session = session;
    this.#onEnd = onEnd;
  }

  get maxPacketBytes(): number | undefined {
    return this.next === 'row' ? this.#sink.maxRowBytes : undefined;
  }

  refusePacket(bytes: number): void {
    this.#sink.refuseRow(bytes);
  }

  start(_packet: undefined, line: CommandLine): State {
    line.writePacket(requestOf(this.#sql));
    return 'head';
  }

  execute(packet: AnswerPacket | undefined, line: CommandLine): boolean {
    if (packet === undefined) {
      line._resetSequenceId();
      this.next = this.start(undefined, line);
      return false;
    }
    const error = packet.isError() ? packet.asError('utf8') : undefined;
    this.next = error === undefined ? this.#take(packet, line) : null;
    if (this.next !== null) return false;
    this.#onEnd(error);
    return true;
  }

  /** Returns what comes next; null if that was all. */
  #take(packet: AnswerPacket, line: CommandLine): State | null {
    switch (this.next) {
      case 'head':
        return this.#takeHead(packet, line);
      case 'column':
        return this.#takeColumn(packet);
      case 'row':
        if (packet.isEOF()) return this.#takeEnd(packet);
        this.#sink.addRow(packet);
        return 'row';
      case 'columns-end':
        checkAnswer(packet.isEOF(), 'rows before the end of their columns');
        return 'row';
      default:
        throw new ProtocolError('The server answers what nobody asked');
    }
  }

  #takeHead(packet: AnswerPacket, line: CommandLine): State | null {
    const mark = packet.buffer[packet.offset];
    checkAnswer(mark !== FILE_WANTED, 'a question for a file');
    if (mark === OK) {
      const ok = readOkPacket(packet, tracksSession(line));
      this.#session.noteOk(ok);
      this.#sink.finishStatement(ok);
      return nextBy(ok.status);
    }
    const count = Number(new PacketReader(packet).lengthCoded());
    checkAnswer(count > 0, 'a set without columns');
    this.#columns = new ColumnSetReader(count, line._mariadbExtendedMetadata);
    return 'column';
  }

  #takeEnd(packet: AnswerPacket): State | null {
    const status = packet.eofStatusFlags();
    this.#session.noteStatus(status);
    this.#sink.finishSet(packet.buffer.readUInt16LE(packet.offset + WARNINGS_OFFSET));
    return nextBy(status);
  }

  #takeColumn(packet: AnswerPacket): State {
    const columns = this.#columns?.add(packet);
    if (columns === undefined) return 'column';
    this.#sink.startSet(columns);
    return 'columns-end';
  }
}

function nextBy(status: number): State | null {
  return (status & MORE_RESULTS) === 0 ? null : 'head';
}

function requestOf(sql: SqlText): RequestPacket {
  const payloadBytes = 1 + bytesOf(sql);
  const buffer = Buffer.allocUnsafe(HEAD_BYTES + payloadBytes);
  buffer[HEAD_BYTES] = COM_QUERY;
  writeText(sql, buffer, HEAD_BYTES + 1);
  return {
    buffer,
    // As mysql2 splits what does not fit into one packet, with an empty one behind what fills its last.
    length: () => payloadBytes + 1,
    writeHeader: (sequenceId) => {
      buffer.writeUIntLE(payloadBytes, 0, 3);
      buffer[3] = sequenceId;
    },
  };
}
