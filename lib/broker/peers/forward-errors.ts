import { inTurns } from '../../async/turns.ts';
import { BrokerError } from '../../errors.ts';
import { parseSqlMode } from '../../mysql/sql/lexer/sql-mode.ts';
import { scanInParts } from '../../mysql/sql/statement-scan.ts';
import { IN_TRANSACTION_ROUTES } from '../../protocol/routes.ts';
import { parseInParts } from '../http/body/lossless-json.ts';
import { PeerSilent } from './peer-http.ts';

/** These may be repeats: a first one may have committed, and its reply been lost. */
const ENDS: ReadonlySet<string | undefined> = new Set([
  IN_TRANSACTION_ROUTES.commit,
  IN_TRANSACTION_ROUTES.rollback,
]);

/** The broker that held the transaction is gone, and this call never reached it. */
export function ownerGone(routePath: string | undefined, cause?: unknown): BrokerError {
  return new BrokerError('TRANSACTION_ENDED', 'The transaction was lost with the broker that held it', {
    reason: 'connection_lost',
    transaction: 'ended',
    outcome: ENDS.has(routePath) ? 'unknown' : 'not_applied',
    cause,
  });
}

/** The call was sent to the broker that holds its transaction, and no reply came back. */
export async function replyLost(
  routePath: string | undefined,
  body: Buffer,
  cause: unknown,
): Promise<BrokerError> {
  if (cause instanceof PeerSilent) {
    // The call may still run, and a later call may commit it.
    const message = 'The broker that holds the transaction does not answer';
    return new BrokerError('DEADLINE_EXCEEDED', message, { outcome: 'unknown', cause });
  }
  const outcome = ENDS.has(routePath) || (await mayCommit(body)) ? 'unknown' : 'not_applied';
  const message = 'The connection to the broker that holds the transaction was lost';
  return new BrokerError('CONNECTION_LOST', message, { outcome, transaction: 'ended', cause });
}

/** Whether the call's statement may end the transaction, as a procedure may. Any other is rolled back with it. */
async function mayCommit(body: Buffer): Promise<boolean> {
  try {
    const { sql } = Object(await inTurns(parseInParts(body)));
    if (typeof sql !== 'string') return true;
    const { mayEndTransaction } = await inTurns(scanInParts(sql, parseSqlMode('')));
    return mayEndTransaction;
  } catch {
    return true;
  }
}
