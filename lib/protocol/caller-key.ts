export const SENDABLE_KEY = 'must be visible ASCII characters without spaces';

/** Whether an HTTP header can hold the key. */
export function isSendableKey(key: string): boolean {
  return /^[\x21-\x7e]+$/.test(key);
}
