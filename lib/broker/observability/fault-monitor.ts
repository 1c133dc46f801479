import type { Logger } from 'pino';
import type { Caller } from '../../credentials/caller-keys.ts';
import type { SourceStatus } from '../../credentials/versioned-source.ts';
import type { Settings } from '../../settings/settings.ts';
import { mayUse } from '../checks/authenticate.ts';
import type { CallerDirectory } from '../checks/caller-directory.ts';
import type { Database, PoolRegistry } from '../databases/pool-registry.ts';
import { faultOf } from './fault.ts';
import { type FaultChange, FaultRecord, type LastingFault } from './fault-record.ts';

const INTERVAL_MS = 1_000;

/** Log messages for each change of a fault. */
type Texts = Readonly<Record<FaultChange, string>>;

const LOGIN_TEXTS: Texts = {
  began: 'a database cannot be logged in to',
  lasts: 'a database still cannot be logged in to',
  ended: 'a database can be logged in to again',
};
const CREDENTIALS_TEXTS: Texts = {
  began: 'the credentials of a database cannot be read; the last good ones serve',
  lasts: 'the credentials of a database still cannot be read; the last good ones serve',
  ended: 'the credentials of a database can be read again',
};
const KEY_TEXTS: Texts = {
  began: 'the key of a caller cannot be read',
  lasts: 'the key of a caller still cannot be read',
  ended: 'the key of a caller can be read again',
};

/**
 * Logs a warning when logins, credentials or callers' keys fail, each minute while they do, and when they work again.
 * It monitors from its start.
 */
export class FaultMonitor {
  readonly #pools: PoolRegistry;
  readonly #callers: CallerDirectory;
  readonly #log: Logger;
  readonly #keys = new Map<string, FaultRecord>();
  /** The time of the last fetch that each record has noted. */
  readonly #notedFetches = new Map<FaultRecord, number | undefined>();
  #timer: NodeJS.Timeout | undefined;

  readonly #callerSettings: Settings['callers'];

  constructor(
    pools: PoolRegistry,
    callers: CallerDirectory,
    { callers: callerSettings }: Pick<Settings, 'callers'>,
    log: Logger,
  ) {
    this.#pools = pools;
    this.#callers = callers;
    this.#callerSettings = callerSettings;
    this.#log = log;
    for (const database of pools.all) this.#monitorDatabase(database);
    for (const caller of callers.status().keys()) {
      const record = new FaultRecord();
      this.#keys.set(caller, record);
      this.#logChanges(record, KEY_TEXTS, () => ({ caller }));
    }
  }

  start(): void {
    this.#timer = setInterval(() => this.#check(), INTERVAL_MS).unref();
    this.#check();
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  /** Why keys cannot be read, by caller; of callers that may use only databases of this admin. */
  keyFaultsFor(admin: Pick<Caller, 'databases'>): Readonly<Record<string, LastingFault>> {
    const isVisible = (name: string) =>
      this.#callerSettings[name]?.databases.every((alias) => mayUse(admin, alias)) === true;
    return Object.fromEntries(
      [...this.#keys].flatMap(([name, { current }]) =>
        current !== undefined && isVisible(name) ? [[name, current]] : [],
      ),
    );
  }

  #monitorDatabase({ alias, health, credentials }: Database): void {
    const subject = () => ({ database: alias, ...credentials.address() });
    this.#logChanges(health.logins, LOGIN_TEXTS, subject);
    this.#logChanges(health.credentials, CREDENTIALS_TEXTS, subject);
  }

  #logChanges(record: FaultRecord, texts: Texts, subject: () => object): void {
    record.onChange((change, fault, failedCalls) => {
      const { message: error, ...facts }: LastingFault = fault;
      this.#log.warn({ ...subject(), ...facts, error, failedCalls }, texts[change]);
    });
  }

  #check(): void {
    for (const { health, credentials } of this.#pools.all) {
      const status = credentials.status();
      // Before the first version, the logins fail with the same cause.
      if (status.versionId !== undefined) this.#note(health.credentials, status);
      health.logins.repeatIfDue();
    }
    for (const [caller, status] of this.#callers.status()) {
      const record = this.#keys.get(caller);
      if (record !== undefined) this.#note(record, status);
    }
  }

  /** Counts each fetch once. */
  #note(record: FaultRecord, { failure, fetchedAtMs }: SourceStatus): void {
    const isNoted = this.#notedFetches.get(record) === fetchedAtMs;
    this.#notedFetches.set(record, fetchedAtMs);
    if (failure === undefined) record.noteSuccess();
    else if (!isNoted) record.noteFailure(faultOf(failure));
    record.repeatIfDue();
  }
}
