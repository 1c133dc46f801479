import { randomBytes } from 'node:crypto';

const NAME_BYTES = 12;
/** Nobody guesses 24 random bytes. */
const SECRET_BYTES = 24;

/** Of a broker process. It says nothing of where that runs. */
export const TASK_NAME = /^[\w-]{16}$/;

/** A name that no other broker has or had. */
export function newTaskName(): string {
  return randomBytes(NAME_BYTES).toString('base64url');
}

/** The id of a transaction that this task holds. */
export function newTransactionId(taskName: string): string {
  return `${taskName}.${randomBytes(SECRET_BYTES).toString('base64url')}`;
}

/** The name of the task that a transaction's id tells; undefined for what no broker has ever given out. */
export function taskOf(transactionId: string): string | undefined {
  return /^([\w-]{16})\.[\w-]{32}$/.exec(transactionId)?.[1];
}
