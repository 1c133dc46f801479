import { backOffMs } from '../../async/back-off.ts';
import type { Deadline } from '../../async/deadline.ts';
import type { ServerLogin } from '../../credentials/login.ts';
import { within } from '../../pool/connection.ts';
import { isRefusedLogin, loginOverdue } from '../connect-errors.ts';

/** Others wait this long for a login in flight, which may hang. */
const IN_FLIGHT_WAIT_MS = 500;
/** The pause after a refusal. */
const PAUSE = { firstMs: 2_000, maxMs: 30_000, jitter: 0.25 };
/** Beyond this number, the least recently used are forgotten. */
const MAX_ATTEMPTS = 1_000;

/** The login attempts of all credentials on all servers. Aliases that share credentials share their attempts. */
export class LoginThrottle {
  readonly #attempts = new Map<string, LoginAttempts>();
  readonly #histories = new Map<string, PasswordHistory>();

  /** @param sourceId The source of the login: two sources may use the same version id. */
  of(sourceId: string, { host, port, username, versionId }: ServerLogin): LoginAttempts {
    const key = JSON.stringify([host, port, username, sourceId, versionId]);
    const attempts = this.#attempts.get(key) ?? new LoginAttempts(this.#historyOf(sourceId, host, port));
    this.#attempts.delete(key);
    this.#attempts.set(key, attempts);
    const [oldest = key] = this.#attempts.keys();
    if (this.#attempts.size > MAX_ATTEMPTS) this.#attempts.delete(oldest);
    return attempts;
  }

  /** One for each source and server: bounded by the settings and the servers that their secrets have named. */
  #historyOf(sourceId: string, host: string, port: number): PasswordHistory {
    const key = JSON.stringify([host, port, sourceId]);
    const history = this.#histories.get(key) ?? new PasswordHistory();
    this.#histories.set(key, history);
    return history;
  }
}

/** Shared by all versions of the same credentials on one server. */
export class PasswordHistory {
  /**
   * How often credentials were refused that had been accepted before: the password on the server has changed, so a version
   * that was refused until then may be accepted now.
   */
  changes = 0;
}

/**
 * Prevents a storm of refused logins, which locks accounts. Credentials that were accepted last time are not limited.
 * Others are tried by one login at a time, while further logins wait for its outcome. After a refusal there is a pause
 * with exponential back-off, which ends when the password on the server is found to have changed.
 */
export class LoginAttempts {
  readonly #history: PasswordHistory;
  #isTrusted = false;
  #refusal: unknown;
  #refusals = 0;
  #pauseEndsMs = 0;
  /** `changes` of the history when it was last refused. */
  #refusedAtChange = 0;
  /** The login whose outcome others wait for. */
  #inFlight: Promise<unknown> | undefined;

  constructor(history: PasswordHistory) {
    this.#history = history;
  }

  /** See `PasswordHistory`. */
  get changes(): number {
    return this.#history.changes;
  }

  /** It was refused, the pause lasts, and the password is not known to have changed since. */
  get isRefused(): boolean {
    return performance.now() < this.#pauseEndsMs && this.#refusedAtChange === this.#history.changes;
  }

  /** @throws what `logIn` throws, or at once its last refusal while the pause lasts. */
  async run<T>(logIn: () => Promise<T>, deadline: Deadline): Promise<T> {
    while (!this.#isTrusted) {
      if (this.isRefused) throw this.#refusal;
      const inFlight = this.#inFlight;
      if (inFlight === undefined) return await this.#runInFlight(logIn);
      await within(Math.min(IN_FLIGHT_WAIT_MS, deadline.remainingMs), inFlight).catch(() => undefined);
      if (deadline.hasPassed) throw loginOverdue();
      if (this.#inFlight === inFlight) return await this.#runInFlight(logIn);
    }
    return await this.#attempt(logIn);
  }

  async #runInFlight<T>(logIn: () => Promise<T>): Promise<T> {
    const attempt = this.#attempt(logIn).finally(() => {
      if (this.#inFlight === attempt) this.#inFlight = undefined;
    });
    this.#inFlight = attempt;
    return await attempt;
  }

  async #attempt<T>(logIn: () => Promise<T>): Promise<T> {
    const changes = this.#history.changes;
    try {
      const connection = await logIn();
      this.#isTrusted = true;
      this.#refusals = 0;
      this.#pauseEndsMs = 0;
      return connection;
    } catch (error) {
      if (isRefusedLogin(error)) this.#noteRefusal(error, changes);
      throw error;
    }
  }

  #noteRefusal(error: unknown, changesBefore: number): void {
    if (this.#isTrusted) this.#history.changes += 1;
    // The refusal may be from before the change.
    else if (changesBefore !== this.#history.changes) return;
    this.#isTrusted = false;
    this.#refusal = error;
    // Logins that ran at the same time count once.
    if (this.isRefused) return;
    if (this.#refusedAtChange !== this.#history.changes) this.#refusals = 0;
    const pauseMs = backOffMs(PAUSE, this.#refusals);
    this.#refusals += 1;
    this.#refusedAtChange = this.#history.changes;
    this.#pauseEndsMs = performance.now() + pauseMs;
  }
}
