import type { Connection, Connector, ConnectVerdict } from '../../lib/pool/connection.ts';
import type { PoolOptions } from '../../lib/pool/pool-options.ts';

/** A connection that costs nothing, so that a measurement is the pool's. */
class StubConnection implements Connection {
  readonly isUsable = true;
  readonly hasChangedRole = false;
  readonly isOutdated = false;
  readonly needsReset: boolean;

  constructor(needsReset: boolean) {
    this.needsReset = needsReset;
  }

  async ping(): Promise<void> {}

  async reset(): Promise<void> {}

  async close(): Promise<void> {}

  destroy(): void {}

  onLost(): void {}
}

export class StubConnector implements Connector<StubConnection> {
  readonly #needsReset: boolean;

  constructor(needsReset: boolean) {
    this.#needsReset = needsReset;
  }

  async open(): Promise<StubConnection> {
    return new StubConnection(this.#needsReset);
  }

  async prove(): Promise<void> {}

  verdict(): ConnectVerdict {
    return 'refused';
  }

  isAnswer(): boolean {
    return false;
  }
}

/** The broker's defaults, everything on; only the cap is the benchmark's. */
export const OPTIONS: PoolOptions = {
  size: 10,
  maxOverflow: 0,
  checkoutTimeoutMs: 5_000,
  recycleAfterMs: 119_000,
  maxWaiting: 1_000,
  idleTimeoutMs: 600_000,
  minIdle: 0,
  keepAliveMs: 50_000,
  heldTooLongMs: 120_000,
  prePing: true,
  prePingAfterIdleMs: 500,
  isShared: false,
  order: 'lifo',
  maxPipelined: 8,
};
