import { hash } from 'node:crypto';

/** By its hash a caller is found: nothing keeps the key itself. Lower case. */
export function hashOfKey(key: string): string {
  return hash('sha256', key);
}
