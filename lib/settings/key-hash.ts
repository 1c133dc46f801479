import { createHash } from 'node:crypto';

/** By its hash a caller is found: nothing keeps the key itself. Lower case. */
export function hashOfKey(key: string): string {
  return createHash('sha256').update(key).digest('hex');
}
