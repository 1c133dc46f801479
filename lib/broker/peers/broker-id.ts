import { randomBytes } from 'node:crypto';

const NAME_BYTES = 12;
/** Enough that an id cannot be guessed. */
const SECRET_BYTES = 24;

/** The random name of a broker process. It tells nothing about its address. */
export const BROKER_ID = /^[\w-]{16}$/;

/** A new, unique id. */
export function newBrokerId(): string {
  return randomBytes(NAME_BYTES).toString('base64url');
}

/** The id of a transaction of this broker. */
export function newTransactionId(brokerId: string): string {
  return `${brokerId}.${randomBytes(SECRET_BYTES).toString('base64url')}`;
}

/** The broker that a transaction's id names; undefined if the id is malformed. */
export function brokerIdOf(transactionId: string): string | undefined {
  return /^([\w-]{16})\.[\w-]{32}$/.exec(transactionId)?.[1];
}
