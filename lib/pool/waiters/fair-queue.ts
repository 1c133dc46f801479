import { type Link, LinkedList } from '../../collections/linked-list.ts';
import type { Holder } from '../checkout.ts';
import type { ConnectionShares } from './connection-shares.ts';

/** Who can stand in a fair line. */
export interface Queued<Member> extends Link<Member> {
  readonly holder: Holder;
  /** It comes before all that are not, whoever has called. */
  readonly isRepeat: boolean;
}

/** The part of the line that is one caller's. */
class CallerLine<Member extends Queued<Member>> implements Link<CallerLine<Member>> {
  next: CallerLine<Member> | undefined;
  previous: CallerLine<Member> | undefined;
  isLinked = false;
  readonly calls = new LinkedList<Member>();
  readonly caller: string;

  constructor(caller: string) {
    this.caller = caller;
  }
}

/**
 * An order of calls: first come first served within a caller. Among callers it is the turn of the one that has the fewest
 * connections, round robin among those that have as many.
 */
export class FairQueue<Member extends Queued<Member>> {
  /** Of the callers that are in line, the one whose turn is next comes first. */
  readonly #turns = new LinkedList<CallerLine<Member>>();
  readonly #byCaller = new Map<string, CallerLine<Member>>();
  readonly #repeats = new LinkedList<Member>();
  readonly #shares: ConnectionShares;
  #size = 0;

  constructor(shares: ConnectionShares) {
    this.#shares = shares;
  }

  get size(): number {
    return this.#size;
  }

  /** Whose turn it is. Undefined if nobody is in line who may have one more connection. */
  get head(): Member | undefined {
    return this.#repeats.first ?? this.#turn()?.calls.first;
  }

  push(member: Member): void {
    this.#size += 1;
    if (member.isRepeat) {
      this.#repeats.push(member);
      return;
    }
    const { caller } = member.holder;
    let line = this.#byCaller.get(caller);
    if (line === undefined) {
      line = new CallerLine(caller);
      this.#byCaller.set(caller, line);
    }
    if (!line.isLinked) this.#turns.push(line);
    line.calls.push(member);
  }

  /** Takes out whose turn it is; the next turn of that caller comes after everybody else's. */
  shift(): Member | undefined {
    const repeat = this.#repeats.first;
    if (repeat !== undefined) {
      this.remove(repeat);
      return repeat;
    }
    const line = this.#turn();
    const head = line?.calls.first;
    if (line === undefined || head === undefined) return undefined;
    this.#remove(head, line);
    if (this.#turns.remove(line)) this.#turns.push(line);
    return head;
  }

  /** False if it has left before. */
  remove(member: Member): boolean {
    if (!member.isLinked) return false;
    if (member.isRepeat) {
      this.#repeats.remove(member);
      this.#size -= 1;
      return true;
    }
    const line = this.#byCaller.get(member.holder.caller);
    if (line !== undefined) this.#remove(member, line);
    return true;
  }

  /** The newest call of the caller with the most, if `caller` would still have fewer with one more. */
  newestToSpareFor(caller: string): Member | undefined {
    let longest = this.#turns.first;
    if (longest === undefined) return undefined;
    for (const line of this.#turns) if (line.calls.size > longest.calls.size) longest = line;
    const ownSize = this.#byCaller.get(caller)?.calls.size ?? 0;
    return ownSize + 1 < longest.calls.size ? longest.calls.last : undefined;
  }

  *[Symbol.iterator](): Generator<Member> {
    yield* this.#repeats;
    for (const { calls } of this.#turns) yield* calls;
  }

  #turn(): CallerLine<Member> | undefined {
    let turn: CallerLine<Member> | undefined;
    let fewest = this.#shares.most;
    for (let line = this.#turns.first; line !== undefined; line = line.next) {
      const held = this.#shares.heldBy(line.caller);
      if (held >= fewest) continue;
      if (held === 0) return line;
      turn = line;
      fewest = held;
    }
    return turn;
  }

  #remove(member: Member, line: CallerLine<Member>): void {
    line.calls.remove(member);
    this.#size -= 1;
    if (line.calls.size > 0) return;
    this.#turns.remove(line);
    // One may stay: where calls come singly, the next is mostly of the same caller.
    if (this.#byCaller.size > 1) this.#byCaller.delete(member.holder.caller);
  }
}
