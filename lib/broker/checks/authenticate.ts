import { chain } from '../../async/maybe-promise.ts';
import type { Caller } from '../../credentials/caller-keys.ts';
import { hashOfKey } from '../../credentials/key-hash.ts';
import { BrokerError } from '../../errors.ts';
import type { PoolRegistry } from '../databases/pool-registry.ts';
import type { AccessLevel, Call } from '../http/call.ts';
import type { HttpApp } from '../http/http-app.ts';
import type { CallerDirectory } from './caller-directory.ts';

const RANK: Readonly<Record<AccessLevel, number>> = { read: 1, write: 2, admin: 3 };

/** The caller of every request if the settings say `allowAnonymous`. */
const ANONYMOUS: Caller = { name: 'anonymous', access: 'admin', databases: ['*'] };

/**
 * Authenticates and authorizes each call before its body is read: routes name the `access` they need, their path the
 * alias. Keys are looked up by their hash, never compared as text.
 */
export function authenticate(
  app: HttpApp,
  pools: PoolRegistry,
  callers: CallerDirectory,
  allowAnonymous: boolean,
): void {
  const admit = (call: Call, access: AccessLevel, caller: Caller | undefined): void => {
    if (caller === undefined) throw unknownKey(callers);
    call.caller = caller;
    const alias = call.param('alias');
    if (alias !== '') {
      pools.get(alias);
      call.alias = alias;
      if (!mayUse(caller, alias)) {
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
  app.addBeforeBody((call) => {
    const access = call.route?.access;
    if (access === undefined) return undefined;
    const found = allowAnonymous ? ANONYMOUS : callers.find(hashOfKey(bearerKey(call)));
    return chain(found, (caller) => admit(call, access, caller));
  });
}

/** Whether an alias is among those that a caller may use. */
export function mayUse({ databases }: Pick<Caller, 'databases'>, alias: string): boolean {
  return databases.includes('*') || databases.includes(alias);
}

/** The admin that calls a route that needs no key; undefined if the caller is none. Never refuses the call. */
export async function adminOf(
  call: Call,
  callers: CallerDirectory,
  allowAnonymous: boolean,
): Promise<Caller | undefined> {
  if (allowAnonymous) return ANONYMOUS;
  const key = keyIn(call);
  const caller = key === undefined ? undefined : await callers.find(hashOfKey(key));
  return caller?.access === 'admin' ? caller : undefined;
}

function bearerKey(call: Call): string {
  const key = keyIn(call);
  if (key === undefined) {
    throw new BrokerError('UNAUTHENTICATED', 'Send the key as "Authorization: Bearer KEY"');
  }
  return key;
}

function keyIn({ headers }: Call): string | undefined {
  return /^Bearer +([^\s]+)$/i.exec(headers.authorization ?? '')?.[1];
}

/**
 * The failure for a key that no known caller has. While the key of some caller was never read, this may be that one:
 * DRAINING is then the answer, which clients retry.
 */
function unknownKey(callers: CallerDirectory): BrokerError {
  const statuses = [...callers.status().values()];
  if (statuses.some(({ versionId }) => versionId === undefined)) {
    return new BrokerError('DRAINING', 'The key cannot be checked: the broker could not read all keys yet', {
      reason: 'caller_keys_unread',
    });
  }
  return statuses.some(({ failure }) => failure !== undefined)
    ? new BrokerError(
        'UNAUTHENTICATED',
        'The key is none that the broker has read, and it could not read all of them again just now',
      )
    : new BrokerError('UNAUTHENTICATED', 'The key is not known');
}
