/** What has run in a session since the login, or since it was wiped. */
export class SessionHistory {
  /** Commands, as the server counts them in its status variable Questions. */
  questionCount = 0;
  /** A caller's statement was among them. */
  isUsed = false;
  /**
   * A statement of the broker's own stands behind the last one of a caller: ROW_COUNT(), FOUND_ROWS(), warnings and
   * diagnostics are not those of the caller's any more.
   */
  lastIsOwn = false;

  wiped(): void {
    this.questionCount = 0;
    this.isUsed = false;
  }
}
