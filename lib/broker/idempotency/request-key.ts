import { createHash } from 'node:crypto';
import { BrokerError } from '../../errors.ts';
import type { BoundStatement } from '../../mysql/sql/binding/bind.ts';
import { cannotWrite } from '../../mysql/sql/statement-effect.ts';
import type { Statement } from '../../protocol/query.ts';
import { IDEMPOTENCY_HEADER } from '../../protocol/routes.ts';
import type { Database } from '../databases/pool-registry.ts';
import type { Call } from '../http/call.ts';
import type { IdempotentRequest } from './idempotent-request.ts';

/** What decides whether a statement may write. */
type WriteFacts = Pick<BoundStatement, 'isRead' | 'effect'>;

const KEY = /^[A-Za-z0-9._-]{1,128}$/;

/**
 * The call as one with a key, if it came with one and its statements may write: what only reads can be done again as
 * often as its caller likes, and no key is kept for it. `meaning` is all of its body that decides what it does.
 *
 * @throws {BrokerError} INVALID_REQUEST: no such key can be, or the alias keeps none. FORBIDDEN: the caller may not
 *   write, so that no key can be stored for it.
 */
export function idempotentRequestOf(
  { headers, caller, routePath }: Call,
  { alias, idempotency }: Database,
  meaning: unknown,
  statements: Iterable<WriteFacts>,
  readOnly = false,
): IdempotentRequest | undefined {
  const key = headers[IDEMPOTENCY_HEADER];
  if (key === undefined) return undefined;
  if (typeof key !== 'string' || !KEY.test(key)) {
    throw invalid('must be 1 to 128 of A-Z a-z 0-9 . _ -');
  }
  const isReadOnly = readOnly || caller?.access === 'read';
  if (![...statements].some((statement) => !cannotWrite(statement, isReadOnly))) return undefined;
  if (readOnly) throw invalid('is only for what may write, and readOnly is set');
  if (caller?.access === 'read') {
    throw new BrokerError(
      'FORBIDDEN',
      `Caller "${caller.name}" has read access; ${IDEMPOTENCY_HEADER} needs write`,
    );
  }
  if (idempotency === undefined) throw invalid(`is not available: database "${alias}" has no such setting`);
  return {
    caller: caller?.name ?? '',
    key,
    requestHash: hashOf([routePath, alias, meaning]),
  };
}

/** For the calls of an interactive transaction: to pass over a key would promise what is not kept. */
export function refuseKey({ headers }: Call): void {
  if (headers[IDEMPOTENCY_HEADER] !== undefined) throw invalid('is for work that is sent whole');
}

/** Not how long it may take. */
export function meaningOf({ timeoutMs: _, ...meaning }: Statement): unknown {
  return meaning;
}

/** A statement that commits by itself would last without the key that is stored beside it. */
export function refuseCommitting(statements: readonly BoundStatement[]): void {
  for (const { outsideTransactionOnly, mayEndTransaction } of statements) {
    const refused =
      outsideTransactionOnly ??
      (mayEndTransaction ? 'what may commit (CALL, EXECUTE, an executable comment)' : undefined);
    if (refused === undefined) continue;
    throw new BrokerError('STATEMENT_NOT_ALLOWED', `${refused} is not allowed with ${IDEMPOTENCY_HEADER}`);
  }
}

function hashOf(meaning: unknown): string {
  return createHash('sha256').update(JSON.stringify(meaning, inOrder)).digest('hex');
}

/** The order of fields means nothing. */
function inOrder(_: string, value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).sort(([one], [other]) => (one < other ? -1 : 1)));
}

function invalid(problem: string): BrokerError {
  return new BrokerError('INVALID_REQUEST', `${IDEMPOTENCY_HEADER} ${problem}`);
}
