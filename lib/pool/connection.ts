import { beforeRefusal } from '../async/before-refusal.ts';

/** What the pool needs of a connection. It knows nothing else about what it pools. */
export interface Connection {
  /** False once it can serve nobody any more: lost, or left in a state that no reset mends. Final. */
  readonly isUsable: boolean;
  /** Why it is not usable, for logs: it shows no SQL and no value. */
  readonly unusableReason?: string | undefined;
  /** False while its borrowers left nothing that one who takes a used connection could see. */
  readonly needsReset: boolean;
  /** The peer is of another kind than when this connection was opened: so are those opened before it. Final. */
  readonly hasChangedRole: boolean;
  /** Newer credentials are known than those it logged in with: it is replaced once they have been taken. */
  readonly isOutdated: boolean;
  /** Resolves if the peer answers that it is there. */
  ping(): Promise<void>;
  /** Makes it as good as new: nothing of what the last holder did on it remains. */
  reset(): Promise<void>;
  /** Says goodbye. Resolves when the peer no longer counts the connection. */
  close(): Promise<void>;
  /** Cuts it off without a word, for a peer that no longer answers. */
  destroy(): void;
  /** Calls back once, when `isUsable` has become false by itself. */
  onLost(listener: () => void): void;
}

/**
 * Why a connect failed, as far as the pool must know:
 * - `outage`: the peer cannot be reached, so connections that are open are doubtful too;
 * - `full`: the peer has no room for another one; those that are open are as good as before;
 * - `refused`: the peer answered and said no. Those that are open are as good as before;
 * - `credentials`: it refused all credentials that are known, or none can be had. Others may be known soon, and the
 *   connector itself bounds the logins that are made meanwhile.
 */
export type ConnectVerdict = 'outage' | 'full' | 'refused' | 'credentials';

/** Opens connections for a pool, one physical connection a call. */
export interface Connector<C extends Connection> {
  /** Rejects with an error fit for the pool's callers, at the latest after `timeoutMs`. */
  open(timeoutMs: number): Promise<C>;
  /**
   * Logs in with the newest credentials and says goodbye, on the one connection that the peer bears beyond those of
   * pools. Rejects if that fails.
   */
  prove(timeoutMs: number): Promise<void>;
  verdict(error: unknown): ConnectVerdict;
  /** Whether a ping failed with an answer: the peer is there, and only this connection is of no use. */
  isAnswer(error: unknown): boolean;
}

/** Resolves or rejects as `work` does, or rejects once `timeoutMs` have passed. Keeps no process alive. */
export async function within<T>(timeoutMs: number, work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const overdue = new Promise<never>((_, reject) => {
    const dueAtMs = performance.now() + timeoutMs;
    timer = setTimeout(() => {
      beforeRefusal(dueAtMs, () => reject(new Error(`no answer within ${timeoutMs} ms`)));
    }, timeoutMs).unref();
  });
  try {
    return await Promise.race([work, overdue]);
  } finally {
    clearTimeout(timer);
  }
}
