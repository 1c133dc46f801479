import type { Logger } from 'pino';
import type { Caller } from '../../credentials/caller-keys.ts';
import type { SourceStatus } from '../../credentials/versioned-source.ts';
import type { Settings } from '../../settings/settings.ts';
import { mayUse } from '../checks/authenticate.ts';
import type { CallerDirectory } from '../checks/caller-directory.ts';
import type { Database, PoolRegistry } from '../databases/pool-registry.ts';
import { faultOf } from './fault.ts';
import { type FaultNews, FaultRecord, type LastingFault } from './fault-record.ts';

const INTERVAL_MS = 1_000;

/** What the log says of a fault, by its news. */
type Texts = Readonly<Record<FaultNews, string>>;

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
 * Logs as a warning when something that the broker needs breaks, each minute while that lasts, and when it works
 * again: logins, credentials, callers' keys. It watches from when it is started.
 */
export class FaultWatch {
  readonly #pools: PoolRegistry;
  readonly #callers: CallerDirectory;
  readonly #log: Logger;
  readonly #keys = new Map<string, FaultRecord>();
  /** When the looks ended whose outcome is noted. */
  readonly #notedAtMs = new Map<FaultRecord, number | undefined>();
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
    for (const database of pools.all) this.#watchDatabase(database);
    for (const caller of callers.status().keys()) {
      const record = new FaultRecord();
      this.#keys.set(caller, record);
      this.#tellOf(record, KEY_TEXTS, () => ({ caller }));
    }
  }

  start(): void {
    this.#timer = setInterval(() => this.#look(), INTERVAL_MS).unref();
    this.#look();
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  /** What keys cannot be read for, by the names of those callers that an admin may know of: they use none but his databases. */
  keyFaultsFor(admin: Pick<Caller, 'databases'>): Readonly<Record<string, LastingFault>> {
    const isHis = (name: string) =>
      this.#callerSettings[name]?.databases.every((alias) => mayUse(admin, alias)) === true;
    return Object.fromEntries(
      [...this.#keys].flatMap(([name, { current }]) =>
        current !== undefined && isHis(name) ? [[name, current]] : [],
      ),
    );
  }

  #watchDatabase({ alias, health, credentials }: Database): void {
    const subject = () => ({ database: alias, ...credentials.address() });
    this.#tellOf(health.logins, LOGIN_TEXTS, subject);
    this.#tellOf(health.credentials, CREDENTIALS_TEXTS, subject);
  }

  #tellOf(record: FaultRecord, texts: Texts, subject: () => object): void {
    record.onNews((news, fault, failedCalls) => {
      const { message: error, ...facts }: LastingFault = fault;
      this.#log.warn({ ...subject(), ...facts, error, failedCalls }, texts[news]);
    });
  }

  #look(): void {
    for (const { health, credentials } of this.#pools.all) {
      const status = credentials.status();
      // While there is no version at all, the logins fail for it.
      if (status.versionId !== undefined) this.#note(health.credentials, status);
      health.logins.remind();
    }
    for (const [caller, status] of this.#callers.status()) {
      const record = this.#keys.get(caller);
      if (record !== undefined) this.#note(record, status);
    }
  }

  /** Each look counts once. */
  #note(record: FaultRecord, { failure, lookedAtMs }: SourceStatus): void {
    const isNoted = this.#notedAtMs.get(record) === lookedAtMs;
    this.#notedAtMs.set(record, lookedAtMs);
    if (failure === undefined) record.worked();
    else if (!isNoted) record.failed(faultOf(failure));
    record.remind();
  }
}
