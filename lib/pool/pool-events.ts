import type { Holder } from './checkout.ts';

/** Why a connection was closed. */
export type CloseReason =
  /** Checked in while nobody waited and `size` connections were open without it. */
  | 'overflow'
  /** Unused for `idleTimeoutMs`, and above `minIdle`. */
  | 'idle'
  /** Older than `recycleAfterMs`, shortened by its own jitter. */
  | 'recycled'
  /** Opened before the last `invalidate`: an outage, a failover, another server or database, or `reconnect`. */
  | 'invalidated'
  /** Logged in with older credentials, and a login with newer ones takes its place. */
  | 'superseded'
  /** Unusable after a statement: the TCP connection or the protocol broke, or a KILL was not confirmed. */
  | 'lost'
  /** The server did not answer the ping before a checkout. */
  | 'ping_failed'
  /** The reset after a checkin failed or took too long. */
  | 'reset_failed'
  /** Another pool on the same server needs its slot. */
  | 'yielded'
  /** The pool drains. */
  | 'drained';

/** What happens in a pool, by SQLAlchemy's names where it has one. */
export interface PoolEventMap {
  /** The first connection of this pool's life was opened. */
  first_connect: { readonly durationMs: number };
  connect: { readonly durationMs: number };
  connect_failed: { readonly error: unknown };
  checkout: { readonly waitedMs: number };
  /** A caller left the queue without a connection: its deadline passed, or it hung up. */
  timeout: { readonly waitedMs: number; readonly error: unknown };
  /** A caller was refused: no connection can be had now, or the queue is full. */
  refused: { readonly waitedMs: number; readonly error: unknown };
  checkin: { readonly heldMs: number };
  /** A connection was checked in twice. Harmless for others, and a mistake of its holder. */
  double_checkin: Readonly<Record<string, never>>;
  reset: { readonly durationMs: number };
  /** A checkout lasts longer than `heldTooLongMs`. Once for each checkout. */
  held_too_long: Holder & { readonly heldMs: number };
  /** The connection of such a checkout was checked in after all. */
  late_checkin: Holder & { readonly heldMs: number };
  /** Connections were declared unusable, or newer credentials are known. */
  invalidate: { readonly generation: number; readonly reason: string };
  /** `cause`: what made the connection unusable, if anything did. */
  close: { readonly reason: CloseReason; readonly cause: string | undefined };
}

type PoolListener<Name extends keyof PoolEventMap> = (event: PoolEventMap[Name]) => void;

/** Tells observers, and is safe from them: one that throws disturbs neither the pool nor the others. */
export class PoolEvents {
  readonly #listeners: { [Name in keyof PoolEventMap]?: PoolListener<Name>[] } = {};
  #failures = 0;

  /** How often a listener has thrown. */
  get failures(): number {
    return this.#failures;
  }

  on<Name extends keyof PoolEventMap>(name: Name, listener: PoolListener<Name>): void {
    const listeners: PoolListener<Name>[] = this.#listeners[name] ?? [];
    listeners.push(listener);
    Object.assign(this.#listeners, { [name]: listeners });
  }

  emit<Name extends keyof PoolEventMap>(name: Name, event: PoolEventMap[Name]): void {
    const listeners: readonly PoolListener<Name>[] | undefined = this.#listeners[name];
    if (listeners === undefined) return;
    for (const listener of listeners) {
      try {
        listener(event);
      } catch {
        this.#failures += 1;
      }
    }
  }
}
