import * as z from 'zod/mini';
import { BrokerClient } from './broker-client.ts';
import { Alias, checkArguments, TimeoutMs } from './check-arguments.ts';
import type { BigintForm, JsonForm, RowShape } from './rows.ts';
import { openTransport } from './transport/open-transport.ts';

export interface ConnectOptions<Shape extends RowShape = RowShape> {
  /** Base URL of the broker. Default: `BROKER_URL` of the environment. */
  readonly url?: string | undefined;
  /** The caller's key. Default: `BROKER_KEY`, or the secret that `BROKER_KEY_SECRET` names. */
  readonly key?: string | undefined;
  /** Alias of the database. Default `default`. */
  readonly database?: string | undefined;
  /** Budget of a call without its own, in milliseconds. Default 28 000. */
  readonly timeoutMs?: number | undefined;
  /** The default of each call's own `retryWrites`. Default false. */
  readonly retryWrites?: boolean | undefined;
  /** Rows as objects by column name (default), or as arrays in column order. */
  readonly rows?: Shape | undefined;
  /** The form of BIGINT: a number where that is exact, else its digits (default); always a bigint; always digits. */
  readonly bigint?: BigintForm | undefined;
  /** The form of JSON columns. Default `parsed`. */
  readonly json?: JsonForm | undefined;
}

const CheckedOptions = z.strictObject({
  url: z.optional(z.string()),
  key: z.optional(z.string()),
  database: z._default(Alias, 'default'),
  timeoutMs: z._default(TimeoutMs, 28_000),
  retryWrites: z._default(z.boolean(), false),
  rows: z._default(z.enum(['object', 'array']), 'object'),
  bigint: z._default(z.enum(['number-or-string', 'bigint', 'string']), 'number-or-string'),
  json: z._default(z.enum(['parsed', 'text']), 'parsed'),
});

/**
 * Makes a client of the broker. Nothing is sent yet.
 *
 * Call it once, at module level: all invocations of a function's instance then share its kept-alive connections.
 *
 * @throws {BrokerError} `INVALID_REQUEST` if an option is wrong or no broker is named.
 *
 * @example
 * const db = connect();
 * const { rows } = await db.query<{ total: string }>('SELECT total FROM orders WHERE id = ?', [42]);
 */
export function connect<Shape extends RowShape = 'object'>(
  options: ConnectOptions<Shape> = {},
): BrokerClient<Shape> {
  const checked = checkArguments(z.object({ options: CheckedOptions }), { options });
  const { url, key, database: alias, timeoutMs, retryWrites, ...rowOptions } = checked.options;
  const transport = openTransport({ url, key });
  return new BrokerClient<Shape>({ transport, alias, timeoutMs, retryWrites, rowOptions });
}
