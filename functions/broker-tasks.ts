import { lookup } from 'node:dns/promises';
import * as z from 'zod/mini';
import type { ResolveAddresses } from '../lib/client/transport/broker-lookup.ts';
import {
  type BrokerReply,
  parseReply,
  readFailure,
  unusableReply,
} from '../lib/client/transport/broker-reply.ts';
import type { Transport } from '../lib/client/transport/http-transport.ts';
import { brokerHost, openTransport } from '../lib/client/transport/open-transport.ts';
import { BrokerError } from '../lib/errors.ts';
import { DATABASES_ROUTE, databasePath, REFRESH_CREDENTIALS_ROUTE } from '../lib/protocol/routes.ts';

/** For one call to one task: a task that hangs must leave time to report the failure. */
const CALL_TIMEOUT_MS = 5_000;

const Databases = z.object({
  databases: z.array(z.object({ alias: z.string(), credentials: z.object({ form: z.string() }) })),
});

/** Calls every task of the broker, by the addresses of its host name: a call to the name would reach only one. */
export class BrokerTasks {
  readonly #resolve: ResolveAddresses;
  readonly #transports = new Map<string, Transport>();

  constructor(resolve: ResolveAddresses = async (hostname) => await lookup(hostname, { all: true })) {
    this.#resolve = resolve;
  }

  /**
   * Makes every task refresh the secrets of its databases. DNS is resolved again until it lists no new task: a task may
   * have started meanwhile, and one that could not be reached may be gone.
   *
   * @returns how many tasks did.
   * @throws if a task could not be reached, or there is none.
   */
  async refreshCredentials(requestId: string): Promise<number> {
    const refreshed = new Set<string>();
    const failures = new Map<string, unknown>();
    for (;;) {
      const addresses = (await this.#resolve(brokerHost())).map(({ address }) => address);
      const remaining = [...new Set(addresses)].filter((address) => !refreshed.has(address));
      const again = remaining.filter((address) => failures.has(address));
      await Promise.all(
        remaining.map(async (address) => {
          try {
            await this.#refresh(address, requestId);
            refreshed.add(address);
          } catch (error) {
            failures.set(address, error);
          }
        }),
      );
      const failing = again.filter((address) => !refreshed.has(address));
      const [lasting] = failing.filter((address) => refreshed.size === 0 || !isGone(failures.get(address)));
      if (lasting !== undefined) throw failures.get(lasting);
      if (remaining.length === again.length) return refreshed.size;
    }
  }

  async #refresh(address: string, requestId: string): Promise<void> {
    const broker = this.#transports.get(address) ?? openTransport({ resolve: resolveTo(address) });
    this.#transports.set(address, broker);
    const call = { timeoutMs: CALL_TIMEOUT_MS, requestId };
    const shown = succeeded(await broker.send({ method: 'GET', path: DATABASES_ROUTE, ...call }));
    for (const { alias, credentials } of Databases.parse(shown).databases) {
      if (credentials.form !== 'secretId') continue;
      const path = databasePath(REFRESH_CREDENTIALS_ROUTE, alias);
      succeeded(await broker.send({ method: 'POST', path, body: '{}', ...call }));
    }
  }
}

function resolveTo(address: string): ResolveAddresses {
  return async () => [{ address, family: address.includes(':') ? 6 : 4 }];
}

function succeeded(reply: BrokerReply): unknown {
  if (reply.status === 200) return parseReply(reply);
  throw readFailure(reply) ?? unusableReply(reply.status, reply.requestId);
}

/** The task is gone, or is shutting down. */
function isGone(error: unknown): boolean {
  if (!(error instanceof BrokerError)) return false;
  const { cause } = error;
  const isRefused = cause instanceof Error && 'code' in cause && cause.code === 'ECONNREFUSED';
  return isRefused || error.code === 'DRAINING';
}
