import { SharedTimeout } from '../../async/shared-timeout.ts';
import type { Connection, Connector, ConnectVerdict } from '../connection.ts';
import { ConnectLimiter } from '../connects/connect-limiter.ts';
import { type Login, Logins } from '../connects/logins.ts';
import type { CapMember, ServerConnectionLimit } from '../connects/server-limit.ts';
import type { CloseReason, PoolEvents } from '../pool-events.ts';
import type { PoolOptions } from '../pool-options.ts';
import type { SlotOwner } from '../slot-owner.ts';
import { Generations } from './generations.ts';
import { Renewal } from './renewal.ts';
import { Slot, type SlotState } from './slot.ts';
import { SlotTable } from './slot-table.ts';

/** A reset that takes longer than this is given up. */
const RESET_TIMEOUT_MS = 5_000;
/**
 * The slots of a pool, and the work of keeping their connections in order. A slot is always in one place:
 *
 *     opening ──▶ idle ──▶ checked-out ──▶ resetting ──▶ idle, or straight to the next holder
 *                  ╰──▶ pinging ──╯ ╰────▶ idle unreset for a moment, or straight to one who takes used ones
 *     any ──▶ closing ──▶ gone
 *
 * `SlotTable.move` is the only way from one state to another. Whenever a slot's connection becomes ready, the owner is
 * told and decides. A slot counts from before its connection opens until its peer has let go.
 */
export class Slots<C extends Connection> implements CapMember {
  readonly gate: ConnectLimiter;
  readonly renewal: Renewal<C>;
  readonly #connector: Connector<C>;
  readonly #events: PoolEvents;
  readonly #owner: SlotOwner<C>;
  readonly #places: SlotTable<C>;
  readonly #logins: Logins<C>;
  readonly #generations = new Generations();
  readonly #resetLimit = new SharedTimeout(RESET_TIMEOUT_MS);

  constructor(
    connector: Connector<C>,
    options: PoolOptions,
    server: ServerConnectionLimit,
    events: PoolEvents,
    owner: SlotOwner<C>,
  ) {
    this.#connector = connector;
    this.#events = events;
    this.#owner = owner;
    this.#places = new SlotTable(options.order);
    this.renewal = new Renewal(this.#places, {
      lacksRoom: () => {
        if (this.count('opening') + this.count('closing') > 0) return false;
        return this.size >= options.size + options.maxOverflow || server.free <= 0;
      },
      close: (slot) => void this.close(slot, 'superseded'),
      onDue: () => owner.onRoom(),
      prove: async () => await connector.prove(options.checkoutTimeoutMs),
    });
    this.gate = new ConnectLimiter(server, this, owner);
    this.#logins = new Logins(connector, options, this.gate, events, {
      opened: (slot, login) => this.#opened(slot, login),
      failed: (slot, login, verdict) => this.#connectFailed(slot, login, verdict),
    });
  }

  /** Connections as the server counts them. */
  get size(): number {
    return this.#places.size;
  }

  count(place: SlotState): number {
    return this.#places.count(place);
  }

  /** Slots that will be ready without a holder's doing. */
  get onTheirWay(): number {
    return this.count('opening') + this.count('pinging') + this.count('resetting');
  }

  get generation(): number {
    return this.#generations.current;
  }

  /** Connecting fails and nothing is open. A full server is not down: its callers wait for room. */
  get isDown(): boolean {
    return this.gate.isFailing && !this.#places.isAnyOpen;
  }

  /** While connects fail, one slot at a time tries, when the back-off is over. */
  get mayConnect(): boolean {
    return this.gate.mayTry(this.count('opening'));
  }

  /** The idle slot whose turn it is. It may need a reset for whoever takes no used one. */
  nextIdle(takesUsed: boolean): Slot<C> | undefined {
    return this.#places.nextIdle(takesUsed);
  }

  /** A copy: whoever goes through it may move slots meanwhile. */
  get idle(): readonly Slot<C>[] {
    return this.#places.idle;
  }

  get all(): Iterable<Slot<C>> {
    return this.#places.all;
  }

  /** Something was open before. */
  get hasOpened(): boolean {
    return this.#generations.hasOpened;
  }

  /** Begins a login. False if it must not begin now; where somebody waits for it, the owner hears when it may. */
  open(isUrgent: boolean): boolean {
    const opening = this.count('opening');
    const isCold = this.size === opening + this.count('closing');
    if (!this.gate.begin({ opening, isCold, isUrgent })) return false;
    const slot = new Slot<C>();
    this.#places.add(slot);
    void this.#logins.run(slot, this.generation);
    return true;
  }

  /**
   * Why this connection must not be given out again, if so. While logins are refused, one that is too old serves all
   * the same: none could take its place.
   */
  staleReason(slot: Slot<C>, isWanted: boolean, nowMs: number): CloseReason | undefined {
    const reason = slot.staleReason(this.generation, isWanted, nowMs);
    if (reason === 'recycled' && this.gate.isRefused) return undefined;
    return reason ?? (this.renewal.replaces(slot) ? 'superseded' : undefined);
  }

  checkOut(slot: Slot<C>): void {
    this.#places.move(slot, 'checked-out');
    slot.isUsed = true;
  }

  keep(slot: Slot<C>): void {
    this.#places.move(slot, 'idle');
  }

  /** Pings it, and closes it if that fails. Without an answer, the others of its generation are of no use either. */
  async ping(slot: Slot<C>): Promise<void> {
    this.#places.move(slot, 'pinging');
    try {
      await slot.ping();
    } catch (error) {
      if (this.#connector.isAnswer(error)) this.#places.suspectIdle();
      else {
        // A peer that answers no ping answers no goodbye.
        slot.destroy();
        this.#outage(slot.generation, 'ping_failed');
      }
      await this.close(slot, 'ping_failed');
      return;
    }
    this.#owner.onReady(slot, performance.now());
  }

  async reset(slot: Slot<C>): Promise<void> {
    this.#places.move(slot, 'resetting');
    const sinceMs = performance.now();
    try {
      await slot.reset(this.#resetLimit, sinceMs);
    } catch {
      await this.close(slot, 'reset_failed');
      return;
    }
    const nowMs = performance.now();
    this.#events.emit('reset', { durationMs: nowMs - sinceMs });
    this.#owner.onReady(slot, nowMs);
  }

  async close(slot: Slot<C>, reason: CloseReason): Promise<void> {
    this.#places.move(slot, 'closing');
    this.#events.emit('close', { reason, cause: slot.unusableReason });
    if (reason === 'superseded') this.renewal.replaced();
    if (reason === 'lost' || reason === 'reset_failed') this.#places.suspectIdle();
    if (this.isDown && !this.mayConnect) this.#owner.onDown(this.gate.lastError);
    // Before the goodbye: whoever counted on this slot must not wait for a peer that may be gone.
    this.#owner.onRoom();
    await slot.close();
    this.#leave(slot);
    this.#owner.onRoom();
  }

  /** Once for each change, however many connections tell of it. */
  heedChangeOfRole({ connection, generation }: Slot<C>): void {
    if (connection.hasChangedRole) this.#outage(generation, 'role_change');
  }

  /** Declares all connections unusable: idle ones close now, the others when they come back. */
  invalidate(reason: string): void {
    this.#generations.next();
    this.#events.emit('invalidate', { generation: this.generation, reason });
    for (const slot of this.idle) if (slot.state === 'idle') void this.close(slot, slot.closeReason);
  }

  /** Newer credentials are known than those of the connections that say that they are outdated. */
  supersede(reason: string): void {
    this.#events.emit('invalidate', { generation: this.generation, reason });
    this.#logins.credentialsChanged();
    this.renewal.begin();
    this.#owner.onRoom();
  }

  onSlot(): void {
    this.#owner.onRoom();
  }

  /** For another pool on the same server. */
  closeOneIdle(): boolean {
    const [slot] = this.idle;
    if (slot !== undefined) void this.close(slot, 'yielded');
    return slot !== undefined;
  }

  /** Cuts off every connection. Each slot leaves as its connection's end is noticed. */
  destroyAll(): void {
    this.gate.stop();
    for (const slot of this.all) slot.destroy();
  }

  #opened(slot: Slot<C>, { generation, isOldNews }: Login): void {
    slot.connection.onLost(() => {
      if (slot.state === 'idle') void this.close(slot, 'lost');
    });
    this.#generations.opened(generation);
    this.renewal.opened(slot.connection, isOldNews);
    this.#owner.onReady(slot, performance.now());
    this.renewal.goOn();
    this.#owner.onRoom();
  }

  #connectFailed(slot: Slot<C>, { generation }: Login, verdict: ConnectVerdict): void {
    this.#leave(slot);
    if (verdict === 'outage') this.#outage(generation, 'connect_failed');
    if (this.isDown) this.#owner.onDown(this.gate.lastError);
    this.#owner.onRoom();
  }

  /** One flush an outage. */
  #outage(generation: number, reason: string): void {
    if (this.#generations.shouldInvalidate(generation)) this.invalidate(reason);
  }

  #leave(slot: Slot<C>): void {
    this.#places.remove(slot);
    this.gate.left();
  }
}
