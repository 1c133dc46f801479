import type { PeerEndpoint } from '../../settings/environment.ts';
import { addressesOf, isSameAddress, type PeerAddress, type Resolve } from './peer-address.ts';

/** How often peers are probed for their ids, so that a call finds its owner at once. */
const REFRESH_MS = 5_000;
/** Least time between two refreshes. */
const MIN_REFRESH_INTERVAL_MS = 1_000;
/** DNS may not list a new broker for this long. */
const DISCOVERY_TIMEOUT_MS = 10_000;
/** A broker that DNS no longer lists and that does not answer is forgotten after this. */
const FORGET_MS = 60_000;

interface Peer {
  readonly address: PeerAddress;
  readonly heardAtMs: number;
  /** Another broker answers at its address. */
  readonly isGone: boolean;
}

export interface PeerDirectoryOptions {
  readonly endpoints: readonly PeerEndpoint[];
  readonly resolve: Resolve;
  /** Resolves with the id of the broker there; undefined: no broker. Rejects if nothing answers. */
  readonly probe: (address: PeerAddress) => Promise<string | undefined>;
  /** Called once for each host or address that fails, until it has worked again. */
  readonly onFailure: (target: string, error: unknown) => void;
}

/**
 * The other brokers by their ids, which it learns by probing every address that DNS lists for the endpoints, and no
 * other. One that DNS no longer lists stays known while it answers: it may be draining.
 */
export class PeerDirectory {
  readonly #options: PeerDirectoryOptions;
  readonly #peers = new Map<string, Peer>();
  readonly #failing = new Set<string>();
  #refreshing: Promise<void> | undefined;
  #refreshedAtMs = Number.NEGATIVE_INFINITY;
  #refreshTimer: NodeJS.Timeout | undefined;

  constructor(options: PeerDirectoryOptions) {
    this.#options = options;
  }

  start(): void {
    void this.#refresh();
    this.#refreshTimer = setInterval(() => void this.#refresh(), REFRESH_MS).unref();
  }

  stop(): void {
    clearInterval(this.#refreshTimer);
  }

  /** The address of this broker; undefined if it is gone. Waits for an unknown one to appear. */
  async find(name: string): Promise<PeerAddress | undefined> {
    const endMs = performance.now() + DISCOVERY_TIMEOUT_MS;
    for (;;) {
      const peer = this.#peers.get(name);
      if (peer !== undefined) return peer.isGone ? undefined : peer.address;
      if (performance.now() > endMs) return undefined;
      await this.#refresh();
    }
  }

  /** One refresh at a time, shared by all who wait for it, and none too soon after the last. */
  async #refresh(): Promise<void> {
    this.#refreshing ??= this.#refreshAfterPause().finally(() => {
      this.#refreshing = undefined;
    });
    await this.#refreshing;
  }

  async #refreshAfterPause(): Promise<void> {
    const pauseMs = this.#refreshedAtMs + MIN_REFRESH_INTERVAL_MS - performance.now();
    if (pauseMs > 0) await new Promise((resolve) => setTimeout(resolve, pauseMs).unref());
    this.#refreshedAtMs = performance.now();
    const { endpoints, resolve, probe } = this.#options;
    const listed = await Promise.all(
      endpoints.map(async (endpoint) => await this.#try(endpoint.host, () => addressesOf(endpoint, resolve))),
    );
    const known = [...this.#peers.values()].filter(({ isGone }) => !isGone).map(({ address }) => address);
    await Promise.all(
      unique([...listed.flatMap((addresses) => addresses ?? []), ...known]).map(async (address) => {
        const answer = await this.#try(`${address.ip}:${address.port}`, async () => ({
          name: await probe(address),
        }));
        if (answer !== undefined) this.#note(address, answer.name);
      }),
    );
    this.#forget();
  }

  /** Undefined if it failed. */
  async #try<T>(target: string, work: () => Promise<T>): Promise<T | undefined> {
    try {
      const result = await work();
      this.#failing.delete(target);
      return result;
    } catch (error) {
      if (!this.#failing.has(target)) this.#options.onFailure(target, error);
      this.#failing.add(target);
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
