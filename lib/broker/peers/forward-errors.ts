import { inTurns } from '../../async/turns.ts';
import { BrokerError } from '../../errors.ts';
import { parseSqlMode } from '../../mysql/sql/lexer/sql-mode.ts';
import { scanInParts } from '../../mysql/sql/statement-scan.ts';
import { IN_TRANSACTION_ROUTES } from '../../protocol/routes.ts';
import { parseInParts } from '../http/body/lossless-json.ts';
import { PeerSilent } from './peer-http.ts';

/** What asks for an end may be asked again because the first answer, of a COMMIT that took place, was lost. */
const ENDS: ReadonlySet<string | undefined> = new Set([
  IN_TRANSACTION_ROUTES.commit,
  IN_TRANSACTION_ROUTES.rollback,
]);

/** The task that held a transaction is gone, and this call never reached it. */
export function ownerGone(routePath: string | undefined, cause?: unknown): BrokerError {
  return new BrokerError('TRANSACTION_ENDED', 'The transaction was lost with the broker that held it', {
    reason: 'connection_lost',
    transaction: 'ended',
    outcome: ENDS.has(routePath) ? 'unknown' : 'not_applied',
    cause,
  });
}

/** The call was sent to the task that holds its transaction, and no answer came back. */
export async function answerLost(
  routePath: string | undefined,
  body: Buffer,
  cause: unknown,
): Promise<BrokerError> {
  if (cause instanceof PeerSilent) {
    // It may run yet, and be part of what a later call commits.
    const message = 'The broker that holds the transaction does not answer';
    return new BrokerError('DEADLINE_EXCEEDED', message, { outcome: 'unknown', cause });
  }
  const outcome = ENDS.has(routePath) || (await mayCommit(body)) ? 'unknown' : 'not_applied';
  const message = 'The connection to the broker that holds the transaction was lost';
  return new BrokerError('CONNECTION_LOST', message, { outcome, transaction: 'ended', cause });
}

/** A procedure may. Whatever else is lost on its way is undone with the transaction. */
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
