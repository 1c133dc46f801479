import type { KillConnection } from './kill-channel.ts';
import type { KillTarget } from './kill-target.ts';

/** What the connection was opened with. */
export interface ConnectionOptions {
  /** Restores the session after a reset. */
  readonly sessionStatement: string;
  /** `rollback` ends the transaction only, as SQLAlchemy does; the others wipe the session. */
  readonly resetOnCheckin: 'auto' | 'always' | 'rollback';
  readonly exposeMysqlMessages: boolean;
  /** The login that it was opened with is not the current one any more. */
  readonly isOutdated: () => boolean;
  readonly control: KillConnection;
  readonly victim: KillTarget;
}
