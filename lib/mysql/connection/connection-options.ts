import type { KillConnection } from './kill/kill-channel.ts';
import type { KillTarget } from './kill/kill-target.ts';

/** How a connection was opened, and how to stop its statements. */
export interface ConnectionOptions {
  /** Restores the session after a reset. */
  readonly sessionStatement: string;
  /** `rollback` only ends the transaction, as SQLAlchemy does; the others reset the session. */
  readonly resetOnCheckin: 'auto' | 'always' | 'rollback';
  readonly exposeMysqlMessages: boolean;
  /** How long a read that shares the connection waits at most for those that were sent before it. */
  readonly holdUpMs: number;
  /** Whether its login is not the current one any more. */
  readonly isOutdated: () => boolean;
  readonly killChannel: KillConnection;
  readonly killTarget: KillTarget;
}
