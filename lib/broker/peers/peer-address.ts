import { lookup } from 'node:dns/promises';
import type { PeerEndpoint } from '../../settings/environment.ts';

/** Where another broker listens, or may listen. */
export interface PeerAddress {
  readonly ip: string;
  readonly port: number;
  /** The host name that it was found by. */
  readonly host: string;
}

/** All addresses of a host name. */
export type Resolve = (host: string) => Promise<readonly string[]>;

export async function resolveByDns(host: string): Promise<readonly string[]> {
  return (await lookup(host, { all: true })).map(({ address }) => address);
}

/** @throws the error of the name look-up. */
export async function addressesOf({ host, port }: PeerEndpoint, resolve: Resolve): Promise<PeerAddress[]> {
  return (await resolve(host)).map((ip) => ({ ip, port, host }));
}

export function isSameAddress(one: PeerAddress, other: PeerAddress): boolean {
  return one.ip === other.ip && one.port === other.port;
}
