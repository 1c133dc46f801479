/** The links of a member. It is in one list at a time, and only the list writes them. */
export interface Link<Member> {
  next: Member | undefined;
  previous: Member | undefined;
  isLinked: boolean;
}

/** A doubly linked list with O(1) removal of any member. Members hold their own links, so nothing is allocated. */
export class LinkedList<Member extends Link<Member>> {
  #first: Member | undefined;
  #last: Member | undefined;
  #size = 0;

  get first(): Member | undefined {
    return this.#first;
  }

  get last(): Member | undefined {
    return this.#last;
  }

  get size(): number {
    return this.#size;
  }

  push(member: Member): void {
    member.isLinked = true;
    member.previous = this.#last;
    if (this.#last === undefined) this.#first = member;
    else this.#last.next = member;
    this.#last = member;
    this.#size += 1;
  }

  /** False if it has left before. */
  remove(member: Member): boolean {
    if (!member.isLinked) return false;
    const { previous, next } = member;
    if (previous === undefined) this.#first = next;
    else previous.next = next;
    if (next === undefined) this.#last = previous;
    else next.previous = previous;
    member.next = undefined;
    member.previous = undefined;
    member.isLinked = false;
    this.#size -= 1;
    return true;
  }

  *[Symbol.iterator](): Generator<Member> {
    for (let member = this.#first; member !== undefined; member = member.next) yield member;
  }
}
