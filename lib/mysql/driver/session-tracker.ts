import type { OkPacket } from '../result/ok-packet.ts';

/** Flags of the session, in the packets that end rows and in OK packets. */
const IN_TRANSACTION = 0x0001;
const AUTOCOMMIT = 0x0002;

const TRANSACTION_TRACKER = 'session_track_transaction_info';
const TRACKS_ALL = 'CHARACTERISTICS';
const CHARACTER_SETS = ['character_set_client', 'character_set_connection', 'character_set_results'];

/** Make the server report begins and ends of transactions, and how it reads SQL text, with its responses. */
export const TRACKING_ASSIGNMENTS: readonly string[] = [
  `@@SESSION.session_track_system_variables = 'autocommit,${CHARACTER_SETS.join(',')},sql_mode,${TRANSACTION_TRACKER}'`,
  `@@SESSION.${TRANSACTION_TRACKER} = '${TRACKS_ALL}'`,
];

/** A state of a session, to be compared with a later one. */
export interface SessionMark {
  /** Number of transactions that have begun. */
  readonly begun: number;
  readonly sqlMode: string | undefined;
  /** Number of reports without a transaction while the flags say that one is open. */
  readonly contradictions: number;
  readonly autocommitSettings: number;
}

/**
 * The state of the session as the server reports it with its responses, so that the broker runs no statement between two
 * of a caller. An ERR packet reports nothing.
 *
 * An end of a transaction and the begin of another one within one CALL are reported too: the tracker of both servers
 * reports the transaction's characteristics again after each.
 */
export class SessionTracker {
  #status = AUTOCOMMIT;
  #begun = 0;
  #contradictions = 0;
  #autocommitSettings = 0;
  #sqlMode: string | undefined;
  #transaction = '';
  #tracksTransactions = false;
  #isUnusable = false;

  /** A transaction is open, explicit or implicit. */
  get isOpen(): boolean {
    return (this.#status & IN_TRANSACTION) !== 0;
  }

  /** An explicit transaction is open: without autocommit any statement opens an implicit one. */
  get isInTransaction(): boolean {
    return this.isOpen && (this.#status & AUTOCOMMIT) !== 0;
  }

  /** The server reports begins and ends. False behind a proxy that drops these reports. */
  get tracksTransactions(): boolean {
    return this.#tracksTransactions;
  }

  /** By the tracker's last report a transaction is open. */
  reportsTransaction(): boolean {
    return this.#transaction !== '';
  }

  /** The default database or the character set has changed, which no reset undoes. */
  get isUnusable(): boolean {
    return this.#isUnusable;
  }

  get mark(): SessionMark {
    return {
      begun: this.#begun,
      sqlMode: this.#sqlMode,
      contradictions: this.#contradictions,
      autocommitSettings: this.#autocommitSettings,
    };
  }

  /** @param namesDatabase The broker itself has set the default database. */
  noteOk({ status, changes }: OkPacket, namesDatabase = false): void {
    this.#status = status;
    if (changes === undefined) return;
    const { variables, hasChangedDatabase, transaction } = changes;
    this.#sqlMode = variables.get('sql_mode') ?? this.#sqlMode;
    if (variables.has('autocommit')) this.#autocommitSettings += 1;
    const tracker = variables.get(TRANSACTION_TRACKER);
    if (tracker !== undefined) this.#tracksTransactions = tracker === TRACKS_ALL;
    this.#isUnusable ||=
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
