/*
 * When its deadline passes, a statement is killed, and its outcome (the verdict) is awaited a little longer. Each station
 * waits longer than the next one, so that the verdict passes through all of them.
 */

/** How long the broker waits, after the deadline, for the verdict on a killed statement. */
export const VERDICT_WAIT_MS = 200;

/** How long the client waits for the broker's reply after its deadline: the verdict, and the network. */
export const CLIENT_VERDICT_WAIT_MS = VERDICT_WAIT_MS + 20;

/** How long a client's transaction waits after its deadline for a call that gets its own verdict. */
export const TRANSACTION_VERDICT_WAIT_MS = VERDICT_WAIT_MS + 50;

/** The part of its time that a Lambda function keeps for the verdict and its reply. */
export const FUNCTION_RESERVE_MS = VERDICT_WAIT_MS + 50;

/** How long a broker waits for another one's reply after the deadline. Ample: then that broker counts as silent. */
export const PEER_VERDICT_WAIT_MS = VERDICT_WAIT_MS + 800;
