import { parseSettings } from '../../../lib/settings/parse-settings.ts';
import { problemsOf } from './problems-of.ts';

export const KEY = 'a'.repeat(64);

/** A document with nothing but what it must have, and what the test is about. */
export function documentWith(database: object = {}, rest: object = {}) {
  return {
    databases: { default: { credentials: { secretId: 'prod/shop' }, ...database } },
    callers: { orders: { keySha256: KEY, databases: ['default'], access: 'write' } },
    ...rest,
  };
}

/** The lines that such a document is refused with. */
export function problemsWith(database: object, rest: object = {}): readonly string[] {
  return problemsOf(() => parseSettings(documentWith(database, rest)));
}
