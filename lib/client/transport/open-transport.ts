import { BrokerError } from '../../errors.ts';
import type { ResolveAddresses } from './broker-lookup.ts';
import { fixedKey, SecretKey } from './caller-key.ts';
import { HttpTransport } from './http-transport.ts';

interface GivenTransport {
  readonly url?: string | undefined;
  readonly key?: string | undefined;
  /** Default: DNS. */
  readonly resolve?: ResolveAddresses | undefined;
}

/**
 * The transport to the broker in the environment: `BROKER_URL`, and `BROKER_KEY` or `BROKER_KEY_SECRET`. Explicit options
 * override it. An empty variable counts as absent.
 */
export function openTransport(given: GivenTransport = {}): HttpTransport {
  const { BROKER_URL, BROKER_KEY, BROKER_KEY_SECRET } = process.env;
  const base = parseBase(given.url ?? BROKER_URL ?? '');
  const key = given.key ?? (BROKER_KEY || undefined);
  const isSecret = key === undefined && BROKER_KEY_SECRET;
  const callerKey = isSecret ? new SecretKey(BROKER_KEY_SECRET) : fixedKey(key);
  return new HttpTransport(base, callerKey, given.resolve);
}

/** The host name in `BROKER_URL`, for DNS. */
export function brokerHost(): string {
  return parseBase(process.env.BROKER_URL ?? '').hostname.replace(/^\[|\]$/g, '');
}

// Messages do not quote the URL: a wrong one may hold a password.
function parseBase(url: string): URL {
  if (url === '') throw new BrokerError('INVALID_REQUEST', 'No broker is named: pass url or set BROKER_URL');
  const base = URL.canParse(url) ? new URL(url) : undefined;
  if (base?.protocol !== 'http:' && base?.protocol !== 'https:') {
    throw new BrokerError('INVALID_REQUEST', "The broker's URL must begin with http:// or https://");
  }
  if (base.username !== '' || base.password !== '' || base.search !== '' || base.hash !== '') {
    throw new BrokerError('INVALID_REQUEST', "The broker's URL must be scheme, host, port and path only");
  }
  return base;
}
