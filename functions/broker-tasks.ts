import { lookup } from 'node:dns/promises';
import * as z from 'zod/mini';
import type { Resolve } from '../lib/client/transport/broker-lookup.ts';
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

/** Of one call to one task: a task that hangs must leave time to tell the failure. */
const CALL_TIMEOUT_MS = 5_000;

const Databases = z.object({
  databases: z.array(z.object({ alias: z.string(), credentials: z.object({ form: z.string() }) })),
});

/** Every task of the broker, found by the addresses of its name: a call to the name itself would reach one. */
export class BrokerTasks {
  readonly #resolve: Resolve;
  readonly #transports = new Map<string, Transport>();

  constructor(resolve: Resolve = async (hostname) => await lookup(hostname, { all: true })) {
    this.#resolve = resolve;
  }

  /**
   * Has every task look at all secrets of its databases. DNS is asked again until it names nobody new: a task may
   * have come, and one that could not be told may have gone.
   *
   * @returns how many were told.
   * @throws if a task was not told, or none was there to be told.
   */
  async refreshCredentials(requestId: string): Promise<number> {
    const told = new Set<string>();
    const failures = new Map<string, unknown>();
    for (;;) {
      const addresses = (await this.#resolve(brokerHost())).map(({ address }) => address);
      const untold = [...new Set(addresses)].filter((address) => !told.has(address));
      const again = untold.filter((address) => failures.has(address));
      await Promise.all(
        untold.map(async (address) => {
          try {
            await this.#tell(address, requestId);
            told.add(address);
          } catch (error) {
            failures.set(address, error);
          }
        }),
      );
      const failing = again.filter((address) => !told.has(address));
      const [lasting] = failing.filter((address) => told.size === 0 || !isGone(failures.get(address)));
      if (lasting !== undefined) throw failures.get(lasting);
      if (untold.length === again.length) return told.size;
    }
  }

  async #tell(address: string, requestId: string): Promise<void> {
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

function resolveTo(address: string): Resolve {
  return async () => [{ address, family: address.includes(':') ? 6 : 4 }];
}

function succeeded(reply: BrokerReply): unknown {
  if (reply.status === 200) return parseReply(reply);
  throw readFailure(reply) ?? unusableReply(reply.status, reply.requestId);
}

/** Nobody listens there any more, or not for long. */
function isGone(error: unknown): boolean {
  if (!(error instanceof BrokerError)) return false;
  const { cause } = error;
  const isRefused = cause instanceof Error && 'code' in cause && cause.code === 'ECONNREFUSED';
  return isRefused || error.code === 'DRAINING';
}
