import type { FastifyInstance, FastifyRequest } from 'fastify';
import { BrokerError } from '../../errors.ts';
import type { Caller } from '../../settings/caller-keys.ts';
import { hashOfKey } from '../../settings/key-hash.ts';
import { type AccessLevel, callOf } from '../call.ts';
import type { PoolRegistry } from '../pool-registry.ts';

const RANK: Readonly<Record<AccessLevel, number>> = { read: 1, write: 2, admin: 3 };

/** Finds the caller that a key belongs to, by the key's SHA-256 in hex. */
export type CallerLookup = (keySha256: string) => Promise<Caller | undefined>;

/** Who everybody is where the settings say `allowAnonymous`. */
const ANONYMOUS: Caller = { name: 'anonymous', access: 'admin', databases: ['*'] };

/**
 * Checks, before a body is read, who calls and what for: routes name the `access` they need in their config, and
 * the alias in their path. Keys are looked up by their hash, never compared as text.
 */
export function authenticate(
  app: FastifyInstance,
  pools: PoolRegistry,
  findCaller: CallerLookup,
  allowAnonymous: boolean,
): void {
  app.addHook('onRequest', async (request) => {
    const { access } = request.routeOptions.config;
    if (access === undefined) return;
    const call = callOf(request);
    const caller = allowAnonymous ? ANONYMOUS : await callerOf(request, findCaller);
    call.caller = caller;
    const alias = aliasOf(request);
    if (alias !== undefined) {
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
  });
}

async function callerOf(request: FastifyRequest, findCaller: CallerLookup): Promise<Caller> {
  const caller = await findCaller(hashOfKey(bearerKey(request)));
  if (caller === undefined) throw new BrokerError('UNAUTHENTICATED', 'The key is not known');
  return caller;
}

function bearerKey({ headers }: FastifyRequest): string {
  const key = /^Bearer +([^\s]+)$/i.exec(headers.authorization ?? '')?.[1];
  if (key === undefined) {
    throw new BrokerError('UNAUTHENTICATED', 'Send the key as "Authorization: Bearer KEY"');
  }
  return key;
}

function aliasOf({ params }: FastifyRequest): string | undefined {
  if (typeof params !== 'object' || params === null || !('alias' in params)) return undefined;
  return String(params.alias);
}
