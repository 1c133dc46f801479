import type { PeerEndpoint } from '../../settings/environment.ts';
import { addressesOf, isSameAddress, type PeerAddress, type Resolve } from './peer-address.ts';

/** So often peers are asked for their names, so that a call finds its own at once. */
const REFRESH_MS = 5_000;
/** Least time between two looks, whatever is asked for. */
const LOOK_INTERVAL_MS = 1_000;
/** DNS may hide a new broker for so long. */
const PATIENCE_MS = 10_000;
/** A broker that DNS no longer tells of and that does not answer is forgotten after this. */
const FORGET_MS = 60_000;

interface Peer {
  readonly address: PeerAddress;
  readonly heardAtMs: number;
  /** Somebody else answers at its address. */
  readonly isGone: boolean;
}

export interface PeerDirectoryOptions {
  readonly endpoints: readonly PeerEndpoint[];
  readonly resolve: Resolve;
  /** Resolves with the name of the broker there; undefined: no broker. Rejects if nobody answers. */
  readonly ask: (address: PeerAddress) => Promise<string | undefined>;
  /** Hears once of each place that cannot be looked up or does not answer, until it does so again. */
  readonly onTrouble: (place: string, error: unknown) => void;
}

/**
 * The other brokers by the names that they give themselves, learned from asking every address that DNS has for the
 * endpoints, and no other. One that DNS has dropped is known as long as it answers: it may be draining.
 */
export class PeerDirectory {
  readonly #options: PeerDirectoryOptions;
  readonly #peers = new Map<string, Peer>();
  readonly #troubled = new Set<string>();
  #nextLook: Promise<void> | undefined;
  #lookedAtMs = Number.NEGATIVE_INFINITY;
  #refresh: NodeJS.Timeout | undefined;

  constructor(options: PeerDirectoryOptions) {
    this.#options = options;
  }

  start(): void {
    void this.#look();
    this.#refresh = setInterval(() => void this.#look(), REFRESH_MS).unref();
  }

  stop(): void {
    clearInterval(this.#refresh);
  }

  /** Where this broker is; undefined if it is gone. A name that nobody has heard of is waited for. */
  async find(name: string): Promise<PeerAddress | undefined> {
    const endMs = performance.now() + PATIENCE_MS;
    for (;;) {
      const peer = this.#peers.get(name);
      if (peer !== undefined) return peer.isGone ? undefined : peer.address;
      if (performance.now() > endMs) return undefined;
      await this.#look();
    }
  }

  /** One look at a time, for all who wait for it, and none too soon after the last. */
  async #look(): Promise<void> {
    this.#nextLook ??= this.#lookInTime().finally(() => {
      this.#nextLook = undefined;
    });
    await this.#nextLook;
  }

  async #lookInTime(): Promise<void> {
    const pauseMs = this.#lookedAtMs + LOOK_INTERVAL_MS - performance.now();
    if (pauseMs > 0) await new Promise((resolve) => setTimeout(resolve, pauseMs).unref());
    this.#lookedAtMs = performance.now();
    const { endpoints, resolve, ask } = this.#options;
    const told = await Promise.all(
      endpoints.map(async (endpoint) => await this.#try(endpoint.host, () => addressesOf(endpoint, resolve))),
    );
    const known = [...this.#peers.values()].filter(({ isGone }) => !isGone).map(({ address }) => address);
    await Promise.all(
      unique([...told.flatMap((addresses) => addresses ?? []), ...known]).map(async (address) => {
        const answer = await this.#try(`${address.ip}:${address.port}`, async () => ({
          name: await ask(address),
        }));
        if (answer !== undefined) this.#note(address, answer.name);
      }),
    );
    this.#forget();
  }

  /** Undefined if it failed. */
  async #try<T>(place: string, work: () => Promise<T>): Promise<T | undefined> {
    try {
      const result = await work();
      this.#troubled.delete(place);
      return result;
    } catch (error) {
      if (!this.#troubled.has(place)) this.#options.onTrouble(place, error);
      this.#troubled.add(place);
      return undefined;
    }
  }

  #note(address: PeerAddress, answered: string | undefined): void {
    for (const [name, peer] of this.#peers) {
      if (name !== answered && isSameAddress(peer.address, address))
        this.#peers.set(name, { ...peer, isGone: true });
    }
    if (answered !== undefined) {
      this.#peers.set(answered, { address, heardAtMs: performance.now(), isGone: false });
    }
  }

  #forget(): void {
    for (const [name, { heardAtMs }] of this.#peers) {
      if (performance.now() - heardAtMs > FORGET_MS) this.#peers.delete(name);
    }
  }
}

function unique(addresses: readonly PeerAddress[]): PeerAddress[] {
  return addresses.filter(
    (address, index) => addresses.findIndex((other) => isSameAddress(address, other)) === index,
  );
}
