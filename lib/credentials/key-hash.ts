import { hash } from 'node:crypto';

/** SHA-256 in lower-case hex. Callers are found by it, so that keys are not stored. */
export function hashOfKey(key: string): string {
  return hash('sha256', key);
}
