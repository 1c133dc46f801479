import type { LookupAddress } from 'node:dns';
import type { LookupFunction } from 'node:net';

/** All addresses of a host name. */
export type ResolveAddresses = (hostname: string) => Promise<LookupAddress[]>;

/**
 * Resolves a host name anew for each connection, with its addresses in random order, so that functions spread over the
 * brokers. Addresses in `avoided` are left out, unless DNS has no other.
 */
export function lookupAvoiding(avoided: ReadonlySet<string>, resolve: ResolveAddresses): LookupFunction {
  return (hostname, options, callback) => {
    resolve(hostname).then(
      (addresses) => {
        const others = addresses.filter(({ address }) => !avoided.has(address));
        const chosen = shuffle(others.length > 0 ? others : addresses);
        const [first = { address: '', family: 0 }] = chosen;
        if (options.all === true) callback(null, chosen);
        else callback(null, first.address, first.family);
      },
      (error: NodeJS.ErrnoException) => callback(error, []),
    );
  };
}

function shuffle<T>(items: readonly T[]): T[] {
  return items
    .map((item) => ({ item, order: Math.random() }))
    .sort((one, other) => one.order - other.order)
    .map(({ item }) => item);
}
