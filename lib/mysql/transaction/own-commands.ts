import type { Isolation } from '../../protocol/transaction.ts';

/** Terms of a command of the broker's own, which answers no rows and changes nothing that lasts. */
export const COMMAND = {
  limits: { maxRows: 1, maxResultBytes: 10_000 },
  isReadOnly: false,
  cannotWrite: true,
  effect: 'all_or_nothing',
  isPlain: false,
  signal: undefined,
} as const;

/** What begins a transaction. */
export function openingOf(isolation: Isolation | undefined): readonly string[] {
  const begin = 'START TRANSACTION';
  return isolation === undefined ? [begin] : [`SET TRANSACTION ISOLATION LEVEL ${isolation}`, begin];
}

/** Whatever completion_type a procedure may have set. */
const END_ONLY = 'AND NO CHAIN NO RELEASE';
export const COMMIT = `COMMIT ${END_ONLY}`;
export const ROLLBACK = `ROLLBACK ${END_ONLY}`;
