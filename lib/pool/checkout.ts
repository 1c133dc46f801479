/** Who has a connection, and what for. */
export interface Holder {
  readonly caller: string;
  /** What finds it in a log, a request's id for example. */
  readonly purpose: string | undefined;
}

/** One checkout, from hand-over to checkin. */
export interface Checkout {
  readonly holder: Holder;
  readonly sinceMs: number;
  /** It was held for too long, and observers were told. */
  isOverdue: boolean;
}
