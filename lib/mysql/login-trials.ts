import { within } from '../pool/connection.ts';
import type { Deadline } from '../pool/deadline.ts';
import type { ServerLogin } from '../settings/credentials-source.ts';
import { isRefusedLogin, loginOverdue } from './connect-failure.ts';

/** A login that has no outcome after so long no longer holds up the next: it may hang. */
const PATIENCE_MS = 500;
const FIRST_PAUSE_MS = 2_000;
const LONGEST_PAUSE_MS = 30_000;
/** The trials used longest ago are forgotten. */
const MAX_TRIALS = 1_000;

/** The trials of all credentials on all servers. Aliases that share their credentials share the trial. */
export class LoginTrials {
  readonly #trials = new Map<string, LoginTrial>();

  /** @param sourceId Where the login comes from: two places may use the same name for a version. */
  of(sourceId: string, { host, port, username, versionId }: ServerLogin): LoginTrial {
    const key = JSON.stringify([host, port, username, sourceId, versionId]);
    const trial = this.#trials.get(key) ?? new LoginTrial();
    this.#trials.delete(key);
    this.#trials.set(key, trial);
    const [oldest = key] = this.#trials.keys();
    if (this.#trials.size > MAX_TRIALS) this.#trials.delete(oldest);
    return trial;
  }
}

/**
 * Keeps credentials that a server refuses from becoming a storm of logins, which locks accounts. Those that it took
 * last time are free to use. Those that it has not taken yet, or refused last time, are tried by one login at a time,
 * and the others wait for what comes of it; after a refusal there is a pause, which doubles.
 */
export class LoginTrial {
  #isTrusted = false;
  #refusal: unknown;
  #refusals = 0;
  #pauseEndsMs = 0;
  /** The login whose outcome the others wait for. */
  #ahead: Promise<unknown> | undefined;

  /** @throws what `logIn` throws, or at once its last refusal while the pause lasts. */
  async run<T>(logIn: () => Promise<T>, deadline: Deadline): Promise<T> {
    while (!this.#isTrusted) {
      if (performance.now() < this.#pauseEndsMs) throw this.#refusal;
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
    try {
      const connection = await logIn();
      this.#isTrusted = true;
      this.#refusals = 0;
      return connection;
    } catch (error) {
      if (isRefusedLogin(error)) this.#refused(error);
      throw error;
    }
  }

  #refused(error: unknown): void {
    this.#isTrusted = false;
    this.#refusal = error;
    const nowMs = performance.now();
    // Logins that were under way together are refused together, and count once.
    if (nowMs < this.#pauseEndsMs) return;
    const pauseMs = Math.min(FIRST_PAUSE_MS * 2 ** this.#refusals, LONGEST_PAUSE_MS);
    this.#refusals += 1;
    this.#pauseEndsMs = nowMs + pauseMs * (1 - Math.random() / 4);
  }
}
