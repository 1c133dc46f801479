import { backOffMs } from '../../async/back-off.ts';
import type { Deadline } from '../../async/deadline.ts';
import type { ServerLogin } from '../../credentials/login.ts';
import { within } from '../../pool/connection.ts';
import { isRefusedLogin, loginOverdue } from '../connect-errors.ts';

/** A login that has no outcome after so long no longer holds up the next: it may hang. */
const PATIENCE_MS = 500;
/** The pause after a refusal. */
const PAUSE = { firstMs: 2_000, maxMs: 30_000, jitter: 0.25 };
/** The trials used longest ago are forgotten. */
const MAX_TRIALS = 1_000;

/** The trials of all credentials on all servers. Aliases that share their credentials share the trial. */
export class LoginThrottle {
  readonly #trials = new Map<string, LoginAttempts>();
  readonly #histories = new Map<string, PasswordHistory>();

  /** @param sourceId Where the login comes from: two places may use the same name for a version. */
  of(sourceId: string, { host, port, username, versionId }: ServerLogin): LoginAttempts {
    const key = JSON.stringify([host, port, username, sourceId, versionId]);
    const trial = this.#trials.get(key) ?? new LoginAttempts(this.#historyOf(sourceId, host, port));
    this.#trials.delete(key);
    this.#trials.set(key, trial);
    const [oldest = key] = this.#trials.keys();
    if (this.#trials.size > MAX_TRIALS) this.#trials.delete(oldest);
    return trial;
  }

  /** One for each source and server: as many as the settings name, and the servers that a secret ever named. */
  #historyOf(sourceId: string, host: string, port: number): PasswordHistory {
    const key = JSON.stringify([host, port, sourceId]);
    const history = this.#histories.get(key) ?? new PasswordHistory();
    this.#histories.set(key, history);
    return history;
  }
}

/** What all versions of the same credentials have in common on one server. */
export class PasswordHistory {
  /**
   * How often credentials were refused that had been taken before: the server was told another password. What it
   * refused until then it may take now.
   */
  changes = 0;
}

/**
 * Keeps credentials that a server refuses from becoming a storm of logins, which locks accounts. Those that it took
 * last time are free to use. Those that it has not taken yet, or refused last time, are tried by one login at a time,
 * and the others wait for what comes of it; after a refusal there is a pause, which doubles, and ends when the
 * server is found to have another password than before.
 */
export class LoginAttempts {
  readonly #history: PasswordHistory;
  #isTrusted = false;
  #refusal: unknown;
  #refusals = 0;
  #pauseEndsMs = 0;
  /** The history's when it was refused. */
  #refusedAtChange = 0;
  /** The login whose outcome the others wait for. */
  #ahead: Promise<unknown> | undefined;

  constructor(history: PasswordHistory) {
    this.#history = history;
  }

  /** See `PasswordHistory`. */
  get changes(): number {
    return this.#history.changes;
  }

  /** The server refused it, and nothing is known to have changed since. */
  get isRefused(): boolean {
    return performance.now() < this.#pauseEndsMs && this.#refusedAtChange === this.#history.changes;
  }

  /** @throws what `logIn` throws, or at once its last refusal while the pause lasts. */
  async run<T>(logIn: () => Promise<T>, deadline: Deadline): Promise<T> {
    while (!this.#isTrusted) {
      if (this.isRefused) throw this.#refusal;
      const ahead = this.#ahead;
      if (ahead === undefined) return await this.#goAhead(logIn);
      await within(Math.min(PATIENCE_MS, deadline.remainingMs), ahead).catch(() => undefined);
      if (deadline.hasPassed) throw loginOverdue();
      if (this.#ahead === ahead) return await this.#goAhead(logIn);
    }
    return await this.#judged(logIn);
  }

  async #goAhead<T>(logIn: () => Promise<T>): Promise<T> {
    const mine = this.#judged(logIn).finally(() => {
      if (this.#ahead === mine) this.#ahead = undefined;
    });
    this.#ahead = mine;
    return await mine;
  }

  async #judged<T>(logIn: () => Promise<T>): Promise<T> {
    const changes = this.#history.changes;
    try {
      const connection = await logIn();
      this.#isTrusted = true;
      this.#refusals = 0;
      this.#pauseEndsMs = 0;
      return connection;
    } catch (error) {
      if (isRefusedLogin(error)) this.#refused(error, changes);
      throw error;
    }
  }

  #refused(error: unknown, changesBefore: number): void {
    if (this.#isTrusted) this.#history.changes += 1;
    // Perhaps of the password before the change: that says nothing.
    else if (changesBefore !== this.#history.changes) return;
    this.#isTrusted = false;
    this.#refusal = error;
    // Logins that were under way together are refused together, and count once.
    if (this.isRefused) return;
    if (this.#refusedAtChange !== this.#history.changes) this.#refusals = 0;
    const pauseMs = backOffMs(PAUSE, this.#refusals);
    this.#refusals += 1;
    this.#refusedAtChange = this.#history.changes;
    this.#pauseEndsMs = performance.now() + pauseMs;
  }
}
