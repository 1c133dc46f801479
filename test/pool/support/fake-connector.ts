import {
  type Connection,
  type Connector,
  type ConnectVerdict,
  within,
} from '../../../lib/pool/connection.ts';

/** How the peer answers requests of one kind: at once, with a failure, when the test lets it, or never. */
export class Answers {
  calls = 0;
  /** What requests fail with, while it is set. */
  failure: Error | undefined;
  /** Fails before there is a promise, as no connection should. */
  throwsAtOnce = false;
  #isHolding = false;
  readonly #held: (() => void)[] = [];

  /** From now on requests get no answer before `letGo`. */
  hold(): void {
    this.#isHolding = true;
  }

  /** Answers all that is held, and what comes after it at once. */
  letGo(): void {
    this.#isHolding = false;
    for (const answer of this.#held.splice(0)) answer();
  }

  /** Answers one request that is held: the oldest, unless told which. */
  letGoOne(index = 0): void {
    for (const answer of this.#held.splice(index, 1)) answer();
  }

  recover(): void {
    this.failure = undefined;
    this.throwsAtOnce = false;
    this.letGo();
  }

  answer(): Promise<void> {
    this.calls += 1;
    if (this.throwsAtOnce) throw new Error('thrown, not rejected');
    return this.#answer();
  }

  async #answer(): Promise<void> {
    if (this.#isHolding) await new Promise<void>((resolve) => this.#held.push(resolve));
    if (this.failure !== undefined) throw this.failure;
  }
}

export class FakeConnectError extends Error {
  readonly verdict: ConnectVerdict;

  constructor(verdict: ConnectVerdict) {
    super(`the fake says: ${verdict}`);
    this.verdict = verdict;
  }
}

/** A connection in memory. It is `isUsable` until it is gone, while it says goodbye too. */
export class FakeConnection implements Connection {
  readonly openedAtMs = performance.now();
  /** What a borrower leaves behind; only a reset wipes it. */
  isDirty = false;
  /** Whether the peer still counts it. */
  isCounted = true;
  isUsable = true;
  needsReset = true;
  hasChangedRole = false;
  isOutdated = false;
  pings = 0;
  readonly #connector: FakeConnector;
  #onLost: (() => void) | undefined;

  constructor(connector: FakeConnector) {
    this.#connector = connector;
  }

  async ping(): Promise<void> {
    this.pings += 1;
    await this.#answered(this.#connector.pings);
  }

  async reset(): Promise<void> {
    await this.#answered(this.#connector.resets);
    this.isDirty = false;
  }

  async close(): Promise<void> {
    if (this.isCounted) await this.#connector.closes.answer();
    this.#end();
  }

  destroy(): void {
    this.#end();
    if (this.#connector.destroyThrows) throw new Error('destroy threw');
  }

  onLost(listener: () => void): void {
    this.#onLost = listener;
  }

  /** The peer hangs up. */
  lose(): void {
    this.#end();
    this.#onLost?.();
  }

  async #answered(answers: Answers): Promise<void> {
    await answers.answer();
    if (!this.isCounted) throw new Error('the connection was lost');
  }

  #end(): void {
    this.isUsable = false;
    this.isCounted = false;
  }
}

/** A connector whose connections live in memory; counters tell what happened, switches make things fail. */
export class FakeConnector implements Connector<FakeConnection> {
  readonly opens = new Answers();
  readonly pings = new Answers();
  readonly resets = new Answers();
  readonly closes = new Answers();
  destroyThrows = false;
  /** Logins that proved the newest credentials, and those of the pool that were made with them. */
  proofs = 0;
  loginsInNewestWay = 0;
  /** So many more connections are outdated when their login is over. */
  opensOutdated = 0;
  /** Every connection it ever opened, oldest first. */
  readonly opened: FakeConnection[] = [];
  /** When each open was tried. */
  readonly triedAtMs: number[] = [];
  /** The most connections that the peer ever counted at once. */
  peak = 0;
  #opening = 0;

  /** As the peer counts: opening, open and closing ones. */
  get counted(): number {
    return this.#opening + this.opened.filter(({ isCounted }) => isCounted).length;
  }

  open(timeoutMs: number): Promise<FakeConnection> {
    this.triedAtMs.push(performance.now());
    return this.#login(timeoutMs, this.opens.answer());
  }

  /** Its connection counts with the peer, but is none of the pool's. */
  async prove(): Promise<void> {
    await this.opens.answer();
    if (this.opensOutdated > 0) throw new FakeConnectError('credentials');
    this.proofs += 1;
  }

  verdict(error: unknown): ConnectVerdict {
    return error instanceof FakeConnectError ? error.verdict : 'refused';
  }

  isAnswer(error: unknown): boolean {
    return error instanceof FakeConnectError && error.verdict !== 'outage';
  }

  /** Everything works again, and what was held is answered. */
  recover(): void {
    this.destroyThrows = false;
    for (const answers of [this.opens, this.pings, this.resets, this.closes]) answers.recover();
  }

  /** The peer hangs up on everybody and takes no new connection. */
  breakDown(): FakeConnectError {
    const failure = new FakeConnectError('outage');
    this.opens.failure = failure;
    for (const connection of this.opened) if (connection.isCounted) connection.lose();
    return failure;
  }

  async #login(timeoutMs: number, answered: Promise<void>): Promise<FakeConnection> {
    this.#opening += 1;
    this.peak = Math.max(this.peak, this.counted);
    try {
      await within(timeoutMs, answered).catch((error: unknown) => {
        throw error === this.opens.failure ? error : new FakeConnectError('outage');
      });
    } finally {
      this.#opening -= 1;
    }
    const connection = new FakeConnection(this);
    connection.isOutdated = this.opensOutdated > 0;
    this.opensOutdated = Math.max(0, this.opensOutdated - 1);
    if (!connection.isOutdated) this.loginsInNewestWay += 1;
    this.opened.push(connection);
    return connection;
  }
}
