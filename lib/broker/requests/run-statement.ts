import type { QueryExecutionOptions } from '../../mysql/connection/execution-options.ts';
import type { MysqlConnection } from '../../mysql/connection/mysql-connection.ts';
import { LostPlaceError } from '../../mysql/connection/pipelining/read-pipeline.ts';
import type { StatementResult } from '../../mysql/result/result-collector.ts';
import type { BoundStatement } from '../../mysql/sql/binding/bind.ts';
import type { CheckoutOptions } from '../../pool/checkout.ts';
import type { PooledConnection } from '../../pool/pooled-connection.ts';
import type { Database } from '../databases/pool-registry.ts';
import type { Call } from '../http/call.ts';
import type { Metrics } from '../observability/metrics.ts';
import { outcomeOfFailure, type StatementOutcome } from '../observability/statement-outcome.ts';
import type { SqlRequest } from './sql-request.ts';

/** A statement outside transactions, and who asks for it. */
export interface LoneStatement {
  readonly call: Call;
  readonly database: Database;
  readonly sqlRequest: SqlRequest;
  readonly bound: BoundStatement;
  readonly metrics: Metrics;
}

/** What `ask` comes to on a connection of its own. */
export async function onConnection<T>(
  lone: LoneStatement,
  ask: (connection: MysqlConnection) => Promise<T>,
  isRepeat = false,
): Promise<T> {
  return await askAlone(lone, await checkOut(lone, { isRepeat }), ask);
}

/**
 * Runs a statement whose answer is collected. A quick read may be sent along with others on one connection: if it loses
 * its place there through one of them, it is asked once more, alone and before all that wait.
 */
export async function runStatement(
  lone: LoneStatement,
  options: QueryExecutionOptions,
): Promise<StatementResult> {
  const { database, bound } = lone;
  const ask = async (connection: MysqlConnection) => {
    const sinceMs = performance.now();
    try {
      return await connection.query(bound.isLong ? await bound.textInTurns() : bound.text, options);
    } finally {
      database.quickReads.note(bound, performance.now() - sinceMs);
    }
  };
  if (!database.quickReads.isQuick(bound)) return await onConnection(lone, ask);
  // One session is either READ ONLY or not.
  const sharesAs = options.isReadOnly ? 'read-only reads' : 'reads';
  const pooled = await checkOut(lone, { sharesAs });
  if (!pooled.isShared) return await askAlone(lone, pooled, ask);
  try {
    return await askBesideOthers(lone, pooled, options);
  } catch (error) {
    if (!(error instanceof LostPlaceError)) throw error;
    return await onConnection(lone, ask, true);
  }
}

async function checkOut(
  { call, database, sqlRequest, bound }: LoneStatement,
  options: Pick<CheckoutOptions, 'sharesAs' | 'isRepeat'>,
): Promise<PooledConnection<MysqlConnection>> {
  const { caller, purpose, deadline, signal } = sqlRequest;
  call.enter('queued');
  return await database.pool.checkout({
    caller,
    purpose,
    deadline,
    signal,
    takesUsed: bound.isPlain,
    ...options,
  });
}

async function askAlone<T>(
  { call, database, metrics }: LoneStatement,
  pooled: PooledConnection<MysqlConnection>,
  ask: (connection: MysqlConnection) => Promise<T>,
): Promise<T> {
  call.enter('in_mysql', pooled.waitedMs);
  let outcome: StatementOutcome = 'ok';
  try {
    return await ask(pooled.connection);
  } catch (error) {
    outcome = outcomeOfFailure(error);
    throw error;
  } finally {
    metrics.queryDone(database.alias, call.enter('in_broker'), outcome);
    pooled.checkin();
  }
}

/** Until its turn has come, the read counts as queued. */
async function askBesideOthers(
  { call, database, bound, metrics }: LoneStatement,
  pooled: PooledConnection<MysqlConnection>,
  options: QueryExecutionOptions,
): Promise<StatementResult> {
  let hasTurn = false;
  let isFirst = false;
  const place = {
    onTurn: () => {
      hasTurn = true;
      call.enter('in_mysql');
    },
    onGone: () => pooled.checkin(),
  };
  const done = (outcome: StatementOutcome) => {
    const endedMs = call.enter('in_broker');
    if (hasTurn) database.quickReads.note(bound, endedMs, !isFirst);
    metrics.queryDone(database.alias, hasTurn ? endedMs : 0, outcome);
  };
  try {
    const asked = pooled.connection.sharedReads.query(bound, options, place);
    isFirst = hasTurn;
    const result = await asked;
    done('ok');
    return result;
  } catch (error) {
    if (!(error instanceof LostPlaceError)) done(outcomeOfFailure(error));
    throw error;
  }
}
