export const SENDABLE_KEY = 'must be visible ASCII characters without spaces';

/** Whether a key fits into a header of HTTP. */
export function isSendableKey(key: string): boolean {
  return /^[\x21-\x7e]+$/.test(key);
}
