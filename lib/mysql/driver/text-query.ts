import type { DriverError } from '../errors.ts';
import { type ColumnSet, ColumnSetReader } from '../result/column-definitions.ts';
import { MORE_RESULTS, type OkPacket, readOkPacket } from '../result/ok-packet.ts';
import { checkResponse, type PacketBytes, PacketReader, ProtocolError } from '../result/packet-reader.ts';
import { bytesOf, type SqlText, writeText } from '../sql/binding/sql-text.ts';
import {
  type Command,
  type Internals,
  type RequestPacket,
  type ResponsePacket,
  tracksSession,
} from './mysql2-internals.ts';
import type { GuardedCommand } from './packet-guard.ts';
import type { SessionTracker } from './session-tracker.ts';

/** Receives the result of a statement as it arrives. */
export interface ResultSink {
  startSet(columns: ColumnSet): void;
  /** The packet must be read synchronously: its bytes are reused. */
  addRow(row: PacketBytes): void;
  /** A larger row is not buffered, but refused. */
  readonly maxRowBytes: number;
  /** A row of at least this size has begun to arrive, and is skipped. */
  refuseRow(bytes: number): void;
  /** The rows of a set have ended. */
  finishSet(warnings: number): void;
  finishStatement(ok: OkPacket): void;
}

/** The next packet of a response. */
type State = 'head' | 'column' | 'columns-end' | 'row';

const COM_QUERY = 0x03;
const HEAD_BYTES = 4;
const OK = 0x00;
/** In an EOF packet, after its first byte. */
const WARNINGS_OFFSET = 1;
/** The server requests a file for LOAD DATA LOCAL. */
const LOCAL_INFILE = 0xfb;

/**
 * A statement in the text protocol (COM_QUERY). mysql2's own makes an object of each column and each row, and parsers for
 * them.
 */
export class TextQuery implements Command, GuardedCommand {
  next: State | null = null;
  readonly #sql: SqlText;
  readonly #sink: ResultSink;
  readonly #session: SessionTracker;
  readonly #onEnd: (error: DriverError | undefined) => void;
  #columns: ColumnSetReader | undefined;

  /** `onEnd` is called at the end, unless the connection ends before. */
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

  start(_packet: undefined, internals: Internals): State {
    internals.writePacket(requestOf(this.#sql));
    return 'head';
  }

  execute(packet: ResponsePacket | undefined, internals: Internals): boolean {
    if (packet === undefined) {
      internals._resetSequenceId();
      this.next = this.start(undefined, internals);
      return false;
    }
    const error = packet.isError() ? packet.asError('utf8') : undefined;
    this.next = error === undefined ? this.#readPacket(packet, internals) : null;
    if (this.next !== null) return false;
    this.#onEnd(error);
    return true;
  }

  /** Returns the next state; null at the end. */
  #readPacket(packet: ResponsePacket, internals: Internals): State | null {
    switch (this.next) {
      case 'head':
        return this.#readHead(packet, internals);
      case 'column':
        return this.#readColumn(packet);
      case 'row':
        if (packet.isEOF()) return this.#readEnd(packet);
        this.#sink.addRow(packet);
        return 'row';
      case 'columns-end':
        checkResponse(packet.isEOF(), 'rows before the end of their columns');
        return 'row';
      default:
        throw new ProtocolError('The server sent an unexpected packet');
    }
  }

  #readHead(packet: ResponsePacket, internals: Internals): State | null {
    const mark = packet.buffer[packet.offset];
    checkResponse(mark !== LOCAL_INFILE, 'a request for a file');
    if (mark === OK) {
      const ok = readOkPacket(packet, tracksSession(internals));
      this.#session.noteOk(ok);
      this.#sink.finishStatement(ok);
      return stateAfter(ok.status);
    }
    const count = Number(new PacketReader(packet).lengthEncoded());
    checkResponse(count > 0, 'a set without columns');
    this.#columns = new ColumnSetReader(count, internals._mariadbExtendedMetadata);
    return 'column';
  }

  #readEnd(packet: ResponsePacket): State | null {
    const status = packet.eofStatusFlags();
    this.#session.noteStatus(status);
    this.#sink.finishSet(packet.buffer.readUInt16LE(packet.offset + WARNINGS_OFFSET));
    return stateAfter(status);
  }

  #readColumn(packet: ResponsePacket): State {
    const columns = this.#columns?.add(packet);
    if (columns === undefined) return 'column';
    this.#sink.startSet(columns);
    return 'columns-end';
  }
}

function stateAfter(status: number): State | null {
  return (status & MORE_RESULTS) === 0 ? null : 'head';
}

function requestOf(sql: SqlText): RequestPacket {
  const payloadBytes = 1 + bytesOf(sql);
  const buffer = Buffer.allocUnsafe(HEAD_BYTES + payloadBytes);
  buffer[HEAD_BYTES] = COM_QUERY;
  writeText(sql, buffer, HEAD_BYTES + 1);
  return {
    buffer,
    // mysql2 splits it by this length, with an empty packet after a full one.
    length: () => payloadBytes + 1,
    writeHeader: (sequenceId) => {
      buffer.writeUIntLE(payloadBytes, 0, 3);
      buffer[3] = sequenceId;
    },
  };
}
