import type { DriverError } from '../errors.ts';
import { readOkPacket } from '../result/ok-packet.ts';
import { checkResponse } from '../result/packet-reader.ts';
import { type Command, type Internals, type ResponsePacket, tracksSession } from './mysql2-internals.ts';
import type { SessionTracker } from './session-tracker.ts';

const HEAD_BYTES = 4;
const COM_INIT_DB = 0x02;
const COM_SET_OPTION = 0x1b;
/** MYSQL_OPTION_MULTI_STATEMENTS_ON: a command may hold several statements. */
const SEVERAL_STATEMENTS = Buffer.from([COM_SET_OPTION, 0, 0]);
/** MYSQL_OPTION_MULTI_STATEMENTS_OFF, as it is from the login on. */
const ONE_STATEMENT = Buffer.from([COM_SET_OPTION, 1, 0]);

/**
 * A command without SQL. It sets an option of the session, or only gets the session's state with its response, after a
 * failed statement. It does not change warnings, errors and FOUND_ROWS().
 */
export class StatusCommand implements Command {
  next: 'answer' | null = null;
  readonly #payload: Buffer;
  readonly #session: SessionTracker;
  readonly #onEnd: (error: DriverError | undefined) => void;

  private constructor(
    payload: Buffer,
    session: SessionTracker,
    onEnd: (error: DriverError | undefined) => void,
  ) {
    this.#payload = payload;
    this.#session = session;
    this.#onEnd = onEnd;
  }

  /** Gets the flags. ROW_COUNT() is then -1, as after an error. */
  static forFlags(session: SessionTracker, onEnd: (error: DriverError | undefined) => void): StatusCommand {
    return new StatusCommand(ONE_STATEMENT, session, onEnd);
  }

  /** Sets whether a command may hold several statements, joined by `;`. */
  static forSeveralStatements(
    isAllowed: boolean,
    session: SessionTracker,
    onEnd: (error: DriverError | undefined) => void,
  ): StatusCommand {
    return new StatusCommand(isAllowed ? SEVERAL_STATEMENTS : ONE_STATEMENT, session, onEnd);
  }

  /**
   * Gets the trackers' reports, which MariaDB withholds after an error until the next report is due. Setting the current
   * database again makes one due. ROW_COUNT() is then 0.
   */
  static forChanges(
    database: string,
    session: SessionTracker,
    onEnd: (error: DriverError | undefined) => void,
  ): StatusCommand {
    const payload = Buffer.concat([Buffer.from([COM_INIT_DB]), Buffer.from(database)]);
    return new StatusCommand(payload, session, onEnd);
  }

  start(_packet: undefined, internals: Internals): 'answer' {
    const payloadBytes = this.#payload.length;
    const buffer = Buffer.concat([Buffer.alloc(HEAD_BYTES), this.#payload]);
    internals.writePacket({
      buffer,
      length: () => payloadBytes + 1,
      writeHeader: (sequenceId) => {
        buffer.writeUIntLE(payloadBytes, 0, 3);
        buffer[3] = sequenceId;
      },
    });
    return 'answer';
  }

  execute(packet: ResponsePacket | undefined, internals: Internals): boolean {
    if (packet === undefined) {
      internals._resetSequenceId();
      this.next = this.start(undefined, internals);
      return false;
    }
    this.next = null;
    const error = packet.isError() ? packet.asError('utf8') : undefined;
    if (error === undefined) this.#note(packet, internals);
    this.#onEnd(error);
    return true;
  }

  #note(packet: ResponsePacket, internals: Internals): void {
    if (packet.isEOF()) {
      this.#session.noteStatus(packet.eofStatusFlags());
      return;
    }
    checkResponse(packet.buffer[packet.offset] === 0, 'neither an end nor a success');
    this.#session.noteOk(readOkPacket(packet, tracksSession(internals)), true);
  }
}
