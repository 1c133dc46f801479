/*
 * When its deadline passes, a statement is killed, and what became of it (the verdict) is worth waiting for a little
 * longer. Each station waits longer than the one behind it, so that the verdict passes through all of them.
 */

/** How long the broker waits, behind the deadline, for the server's verdict on a statement that was killed. */
export const VERDICT_WAIT_MS = 200;

/** How long the client waits for the broker's reply behind its deadline: the verdict, and its way through the network. */
export const CLIENT_VERDICT_WAIT_MS = VERDICT_WAIT_MS + 20;

/** How long a client's transaction waits behind its deadline for a call that is told its own verdict. */
export const TRANSACTION_VERDICT_WAIT_MS = VERDICT_WAIT_MS + 50;

/** What a Lambda function keeps of its own time: for the verdict, and for its reply. */
export const FUNCTION_RESERVE_MS = VERDICT_WAIT_MS + 50;

/** How long a broker waits for another one's reply behind the deadline. Ample: beyond it, that broker counts as silent. */
export const PEER_VERDICT_WAIT_MS = VERDICT_WAIT_MS + 800;
