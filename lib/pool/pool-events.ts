import type { Holder } from './checkout.ts';

/** Why a connection was closed. */
export type CloseReason =
  | 'overflow'
  | 'idle'
  | 'recycled'
  | 'invalidated'
  /** It logged in with older credentials, and a login with newer ones takes its place. */
  | 'superseded'
  | 'lost'
  | 'ping_failed'
  | 'reset_failed'
  /** Another pool on the same server needs its place. */
  | 'yielded'
  | 'drained';

/** What happens in a pool, by SQLAlchemy's names where it has one. */
export interface PoolEventMap {
  /** The first connection of this pool's life was opened. */
  first_connect: { readonly durationMs: number };
  connect: { readonly durationMs: number };
  connect_failed: { readonly error: unknown };
  checkout: { readonly waitedMs: number };
  /** A caller left the line without a connection: its budget was used up, or it hung up. */
  timeout: { readonly waitedMs: number; readonly error: unknown };
  /** A caller was sent away from the line: nothing can be had now, or the line is full. */
  refused: { readonly waitedMs: number; readonly error: unknown };
  checkin: { readonly heldMs: number };
  /** A holder gave back what it had given back before. Harmless, and a mistake of the holder's. */
  double_checkin: Readonly<Record<string, never>>;
  reset: { readonly durationMs: number };
  /** Somebody has a connection for longer than a borrower should. Once for each checkout. */
  held_too_long: Holder & { readonly heldMs: number };
  /** And gave it back after all. */
  late_checkin: Holder & { readonly heldMs: number };
  /** Connections were declared unusable, or newer credentials are known. */
  invalidate: { readonly generation: number; readonly reason: string };
  close: { readonly reason: CloseReason };
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
