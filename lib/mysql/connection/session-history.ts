/** What has run in a session since the login or the last reset. */
export class SessionHistory {
  /** Commands, counted like the server's status variable Questions. */
  questionCount = 0;
  /** It includes a caller's statement. */
  isUsed = false;
  /**
   * The broker ran the last statement, so ROW_COUNT(), FOUND_ROWS(), warnings and diagnostics are not those of the
   * caller's last statement.
   */
  lastIsBrokers = false;

  wiped(): void {
    this.questionCount = 0;
    this.isUsed = false;
  }
}
