import { fixedKey } from '../../../../lib/client/transport/caller-key.ts';

/** No caller's key. */
export const noKey = fixedKey(undefined);

/** A request that a broker would answer. */
export const request = {
  method: 'POST',
  path: '/v1/databases/default/query',
  body: '{}',
  timeoutMs: 5_000,
} as const;
