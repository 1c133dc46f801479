import { BrokerError } from '../../errors.ts';
import type { Caller } from '../../settings/caller-keys.ts';
import { hashOfKey } from '../../settings/key-hash.ts';
import type { Call } from '../http/call.ts';
import type { HttpApp } from '../http/http-app.ts';
import type { AccessLevel } from '../http/route-table.ts';
import type { PoolRegistry } from '../pool-registry.ts';

const RANK: Readonly<Record<AccessLevel, number>> = { read: 1, write: 2, admin: 3 };

/** Finds the caller that a key belongs to, by the key's SHA-256 in hex. */
export type CallerLookup = (keySha256: string) => Found | Promise<Found>;
type Found = Caller | undefined;

/** Who everybody is where the settings say `allowAnonymous`. */
const ANONYMOUS: Caller = { name: 'anonymous', access: 'admin', databases: ['*'] };

/**
 * Checks, before a body is read, who calls and what for: routes name the `access` they need, and the alias in
 * their path. Keys are looked up by their hash, never compared as text.
 */
export function authenticate(
  app: HttpApp,
  pools: PoolRegistry,
  findCaller: CallerLookup,
  allowAnonymous: boolean,
): void {
  const admit = (call: Call, access: AccessLevel, caller: Caller | undefined): void => {
    if (caller === undefined) throw new BrokerError('UNAUTHENTICATED', 'The key is not known');
    call.caller = caller;
    const alias = call.param('alias');
    if (alias !== '') {
      pools.get(alias);
      call.alias = alias;
      if (!caller.databases.includes('*') && !caller.databases.includes(alias)) {
        throw new BrokerError('FORBIDDEN', `Caller "${caller.name}" may not use database "${alias}"`);
      }
    }
    if (RANK[caller.access] < RANK[access]) {
      throw new BrokerError(
        'FORBIDDEN',
        `Caller "${caller.name}" has ${caller.access} access; this needs ${access}`,
      );
    }
  };
  app.addCheck((call) => {
    const access = call.route?.access;
    if (access === undefined) return undefined;
    const found = allowAnonymous ? ANONYMOUS : findCaller(hashOfKey(bearerKey(call)));
    // Most are known: a promise of what is there already would cost more than the look.
    if (found instanceof Promise) return found.then((caller) => admit(call, access, caller));
    admit(call, access, found);
    return undefined;
  });
}

function bearerKey({ headers }: Call): string {
  const key = /^Bearer +([^\s]+)$/i.exec(headers.authorization ?? '')?.[1];
  if (key === undefined) {
    throw new BrokerError('UNAUTHENTICATED', 'Send the key as "Authorization: Bearer KEY"');
  }
  return key;
}
