import { createHash } from 'node:crypto';
import { BrokerError } from '../../errors.ts';
import type { BoundStatement } from '../../mysql/sql/binding/bind.ts';
import { cannotWrite } from '../../mysql/sql/statement-effect.ts';
import type { Statement } from '../../protocol/query.ts';
import { IDEMPOTENCY_HEADER } from '../../protocol/routes.ts';
import type { Database } from '../databases/pool-registry.ts';
import type { Call } from '../http/call.ts';
import type { IdempotentRequest } from './idempotent-request.ts';

/** The facts that decide whether a statement may write. */
type WriteFacts = Pick<BoundStatement, 'isRead' | 'effect'>;

const KEY = /^[A-Za-z0-9._-]{1,128}$/;

/**
 * The call's idempotent request, if it has a key and its statements may write. Reads can be repeated freely, so no key
 * is stored for them.
 *
 * @param meaning The parts of the body that decide what the call does.
 * @throws {BrokerError} INVALID_REQUEST: the key is malformed, or the alias has no `idempotency`. FORBIDDEN: the
 *   caller has read access, so no key can be stored.
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

/** Calls of an interactive transaction take no key: ignoring it would promise what is not kept. */
export function refuseKey({ headers }: Call): void {
  if (headers[IDEMPOTENCY_HEADER] !== undefined)
    throw invalid('is not supported in an interactive transaction');
}

/** All of a statement but `timeoutMs`. */
export function meaningOf({ timeoutMs: _, ...meaning }: Statement): unknown {
  return meaning;
}

/** Refuses statements that commit implicitly: their work would be kept even if the key is not stored. */
export function refuseCommitting(statements: readonly BoundStatement[]): void {
  for (const { outsideTransactionOnly, mayEndTransaction } of statements) {
    const refused =
      outsideTransactionOnly ??
      (mayEndTransaction ? 'a statement that may commit (CALL, EXECUTE, an executable comment)' : undefined);
    if (refused === undefined) continue;
    throw new BrokerError('STATEMENT_NOT_ALLOWED', `${refused} is not allowed with ${IDEMPOTENCY_HEADER}`);
  }
}

function hashOf(meaning: unknown): string {
  return createHash('sha256').update(JSON.stringify(meaning, inOrder)).digest('hex');
}

/** The order of fields must not matter. */
function inOrder(_: string, value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).sort(([one], [other]) => (one < other ? -1 : 1)));
}

function invalid(problem: string): BrokerError {
  return new BrokerError('INVALID_REQUEST', `${IDEMPOTENCY_HEADER} ${problem}`);
}
