/** A pool, as the limit of its server sees it. */
export interface CapMember {
  /** Connections that it has on the server. */
  readonly size: number;
  /** There is a slot for it now. */
  onSlot(): void;
  /** Closes an idle connection. False if there is none. */
  closeOneIdle(): boolean;
}

/**
 * Connection limit of one server, shared by its pools. A pool takes a slot before each login and returns it when the
 * server has closed the connection. If no slot is free the pool queues and another pool gives one up: an idle connection
 * at once, otherwise one at checkin, provided it holds more connections than the waiting pool (or the waiting pool holds
 * none). A pool stays queued only while its callers still wait.
 */
export class ServerConnectionLimit {
  readonly maxConnections: number;
  readonly #members = new Set<CapMember>();
  /** Who found no slot, in the order of asking, and whether it still wants one. */
  readonly #wanting = new Map<CapMember, () => boolean>();
  #taken = 0;
  /** Connections that are closing for those who want one. */
  #yielding = 0;

  /** Default: no limit. */
  constructor(maxConnections = Number.POSITIVE_INFINITY) {
    this.maxConnections = maxConnections;
  }

  get free(): number {
    return this.maxConnections - this.#taken;
  }

  /** Connections of all pools on it, opening and closing ones too. */
  get connections(): number {
    return this.#taken;
  }

  join(member: CapMember): void {
    this.#members.add(member);
  }

  /** Only while one is free. */
  take(): void {
    this.#taken += 1;
  }

  giveBack(): void {
    this.#taken -= 1;
    this.#yielding = Math.max(0, this.#yielding - 1);
    for (const [member, isWanted] of this.#wanting) {
      if (this.free <= 0) return;
      this.#wanting.delete(member);
      if (isWanted()) member.onSlot();
    }
  }

  /** Puts a pool in line for a slot while `isWanted` holds, and has an idle connection of another one closed. */
  requestSlot(member: CapMember, isWanted: () => boolean): void {
    this.#forgetWithdrawn();
    this.#wanting.set(member, isWanted);
    if (!this.#isAskedBySomebodyBut(undefined)) return;
    const others = [...this.#members].filter((other) => other !== member);
    others.sort((one, other) => other.size - one.size);
    // Before it closes: that may give a slot back at once.
    this.#yielding += 1;
    if (!others.some((other) => other.closeOneIdle())) this.#yielding -= 1;
  }

  /**
   * Whether a pool must close a connection that is free now. If its own callers want it, only down to a fair share;
   * its last one too, for a pool that has none.
   */
  shouldYield(member: CapMember, isWanted: boolean): boolean {
    if (!this.#isAskedBySomebodyBut(member)) return false;
    this.#forgetWithdrawn();
    if (!this.#isAskedBySomebodyBut(member)) return false;
    for (const other of this.#wanting.keys()) {
      const isFair = other.size > 0 && other.size + 1 >= member.size;
      if (other === member || (isWanted && isFair)) continue;
      this.#yielding += 1;
      return true;
    }
    return false;
  }

  #forgetWithdrawn(): void {
    for (const [member, isWanted] of this.#wanting) if (!isWanted()) this.#wanting.delete(member);
  }

  #isAskedBySomebodyBut(member: CapMember | undefined): boolean {
    const own = member !== undefined && this.#wanting.has(member) ? 1 : 0;
    return this.#wanting.size - own > this.#yielding;
  }
}
