/**
 * Where the broker is in its life:
 *
 *     starting ──▶ serving ──▶ leaving ──▶ draining
 *
 * `leaving`: /readyz says 503 so that no more callers are sent here, but new work is still served.
 * `draining`: new work is refused, work that was accepted is finished.
 */
export type Phase = 'starting' | 'serving' | 'leaving' | 'draining';

export class Lifecycle {
  #phase: Phase = 'starting';

  get phase(): Phase {
    return this.#phase;
  }

  /** Phases are passed in one direction only. */
  enter(phase: Phase): void {
    this.#phase = phase;
  }
}
