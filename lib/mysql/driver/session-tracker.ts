import type { OkPacket } from '../result/ok-packet.ts';

/** Flags of the session, in the packets that end rows and in OK packets. */
const IN_TRANSACTION = 0x0001;
const AUTOCOMMIT = 0x0002;

const TRANSACTION_TRACKER = 'session_track_transaction_info';
const TRACKS_ALL = 'CHARACTERISTICS';
const CHARACTER_SETS = ['character_set_client', 'character_set_connection', 'character_set_results'];

/** Has the server report, with its answers, each beginning and end of a transaction and how it reads SQL text. */
export const TRACKING_ASSIGNMENTS: readonly string[] = [
  `@@SESSION.session_track_system_variables = 'autocommit,${CHARACTER_SETS.join(',')},sql_mode,${TRANSACTION_TRACKER}'`,
  `@@SESSION.${TRANSACTION_TRACKER} = '${TRACKS_ALL}'`,
];

/** A moment in the life of a session, to be compared with a later one. */
export interface SessionMark {
  /** Transactions that have begun. */
  readonly begun: number;
  readonly sqlMode: string | undefined;
  /** Reports that no transaction is begun, while the flags say that one is open. */
  readonly contradictions: number;
  readonly autocommitSettings: number;
}

/**
 * What the server tells of the session with its answers, so that no question of ours has to stand between two
 * statements of a caller. An ERR packet tells nothing.
 *
 * An end of a transaction and the beginning of another within one CALL are told too: the tracker of MySQL and MariaDB
 * reports the transaction's characteristics again after each of both.
 */
export class SessionTracker {
  #status = AUTOCOMMIT;
  #begun = 0;
  #contradictions = 0;
  #autocommitSettings = 0;
  #sqlMode: string | undefined;
  #transaction = '';
  #tracksTransactions = false;
  #isAnother = false;

  /** A transaction is open, begun or not. */
  get isOpen(): boolean {
    return (this.#status & IN_TRANSACTION) !== 0;
  }

  /** What is open was begun: without autocommit any statement opens a transaction. */
  get isInTransaction(): boolean {
    return this.isOpen && (this.#status & AUTOCOMMIT) !== 0;
  }

  /** The server reports beginnings and ends. False behind a proxy that does not hand that on. */
  get tracksTransactions(): boolean {
    return this.#tracksTransactions;
  }

  /** By what the tracker has reported a transaction is begun. */
  reportsTransaction(): boolean {
    return this.#transaction !== '';
  }

  /** It is in another database, or text is taken for another character set: no reset, and no statement of ours, mends that. */
  get isAnother(): boolean {
    return this.#isAnother;
  }

  get mark(): SessionMark {
    return {
      begun: this.#begun,
      sqlMode: this.#sqlMode,
      contradictions: this.#contradictions,
      autocommitSettings: this.#autocommitSettings,
    };
  }

  /** @param namesDatabase we have asked for the database ourselves. */
  noteOk({ status, changes }: OkPacket, namesDatabase = false): void {
    this.#status = status;
    if (changes === undefined) return;
    const { variables, hasChangedDatabase, transaction } = changes;
    this.#sqlMode = variables.get('sql_mode') ?? this.#sqlMode;
    if (variables.has('autocommit')) this.#autocommitSettings += 1;
    const tracker = variables.get(TRANSACTION_TRACKER);
    if (tracker !== undefined) this.#tracksTransactions = tracker === TRACKS_ALL;
    this.#isAnother ||=
      (hasChangedDatabase && !namesDatabase) ||
      CHARACTER_SETS.some((name) => (variables.get(name) ?? 'utf8mb4') !== 'utf8mb4');
    if (transaction === undefined) return;
    this.#transaction = transaction;
    if (transaction !== '') this.#begun += 1;
    else if (this.isOpen) this.#contradictions += 1;
  }

  noteStatus(status: number): void {
    this.#status = status;
  }
}
