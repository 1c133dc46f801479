import type { ConnectVerdict } from '../connection.ts';
import { ConnectBackOff } from './connect-backoff.ts';
import { ConnectRateLimiter } from './connect-rate.ts';
import type { CapMember, ServerConnectionLimit } from './server-limit.ts';

/** What is under way when a login is asked for. */
export interface LoginDemand {
  readonly opening: number;
  /** Nothing is open. */
  readonly isCold: boolean;
  /** A caller waits for it, so that another pool may have to give up a connection. */
  readonly isUrgent: boolean;
}

/** What a gate asks of its pool. */
export interface GateOwner {
  /** A login that was held back may be worth another try. */
  onRoom(): void;
  /** A caller waits for a login, and nothing is on its way for him. */
  isUrgent(): boolean;
}

/** When a login may begin: spaced out while they fail, at a pace while they succeed, within what the server bears. */
export class ConnectLimiter {
  readonly #backOff: ConnectBackOff;
  readonly #pace: ConnectRateLimiter;
  readonly #server: ServerConnectionLimit;
  readonly #member: CapMember;
  readonly #isUrgent: () => boolean;
  #lastVerdict: ConnectVerdict | undefined;

  constructor(server: ServerConnectionLimit, member: CapMember, owner: GateOwner) {
    this.#server = server;
    this.#member = member;
    this.#isUrgent = () => owner.isUrgent();
    this.#backOff = new ConnectBackOff(() => owner.onRoom());
    this.#pace = new ConnectRateLimiter(() => owner.onRoom());
    server.join(member);
  }

  /** The reason of the last failure; undefined once a connect has succeeded. */
  get lastError(): unknown {
    return this.#backOff.lastError;
  }

  /** Connects fail, and not for want of room: a full server is not down. */
  get isFailing(): boolean {
    return this.#backOff.isFailing && this.#lastVerdict !== 'full';
  }

  /** No connection that is closed now could be replaced, and those that are open are as good as before. */
  get isRefused(): boolean {
    const isRefusal = this.#lastVerdict === 'refused' || this.#lastVerdict === 'credentials';
    return isRefusal && this.#backOff.hasFailedRecently;
  }

  /** Why the last connect failed; undefined once one has succeeded. */
  get lastVerdict(): ConnectVerdict | undefined {
    return this.#backOff.isFailing ? this.#lastVerdict : undefined;
  }

  /** While connects fail, one at a time tries, when the back-off is over. */
  mayTry(opening: number): boolean {
    return !this.#backOff.isFailing || (opening === 0 && !this.#backOff.isHolding);
  }

  /** Takes a slot of the server for a login. False if none must begin now. */
  begin({ opening, isCold, isUrgent }: LoginDemand): boolean {
    if (!this.mayTry(opening)) return false;
    if (this.#server.free <= 0) {
      if (isUrgent) this.#server.requestSlot(this.#member, this.#isUrgent);
      return false;
    }
    if (!this.#pace.begin(opening, isCold)) return false;
    this.#server.take();
    return true;
  }

  succeeded(): void {
    this.#backOff.startOver();
    this.#pace.succeeded();
  }

  failed(error: unknown, verdict: ConnectVerdict): void {
    this.#backOff.failed(error, verdict);
    this.#lastVerdict = verdict;
  }

  /** A line begins: it grows the pool slowly, for most are short. */
  startLine(): void {
    this.#pace.startOver();
  }

  /** The peer has let go of a connection, or never took it. */
  left(): void {
    this.#server.giveBack();
  }

  /** Connects that failed tell nothing of those to come. */
  forgetFailures(): void {
    this.#backOff.startOver();
  }

  stop(): void {
    this.#backOff.stop();
    this.#pace.stop();
  }
}
