import { BrokerError } from '../errors.ts';
import { isRounded } from '../protocol/rounded.ts';

/** A value that may also be a member of a list. */
export type ScalarValue =
  | null
  | boolean
  | number
  | string
  | bigint
  | Uint8Array
  | Date
  | { readonly $bytes: string }
  | { readonly $bigint: string }
  | { readonly $decimal: string };

/** A value for one placeholder. */
export type ParamValue =
  | ScalarValue
  | { readonly $json: unknown }
  | { readonly $list: readonly ScalarValue[] };

/** Values for `?` in order, or for `:name` by name. */
export type ParamValues = readonly ParamValue[] | Readonly<Record<string, ParamValue>>;

/** The members of `IN (?)`: at least one, since `IN ()` is not valid SQL. */
export function list(items: readonly ScalarValue[]): { readonly $list: readonly ScalarValue[] } {
  return { $list: items };
}

/** Any value for a JSON column, as `JSON.stringify` writes it. */
export function json(value: unknown): { readonly $json: unknown } {
  return { $json: value };
}

/** An exact decimal number, such as `decimal('12.50')`. */
export function decimal(digits: string): { readonly $decimal: string } {
  return { $decimal: digits };
}

/**
 * Values as the protocol writes them. A `Date` becomes its UTC time, with milliseconds.
 *
 * @throws {BrokerError} `INVALID_REQUEST` with the value's path, for a value that cannot be sent unchanged.
 */
export function toWireParams(params: unknown, path = 'params'): unknown {
  if (Array.isArray(params)) return Array.from(params, (value, index) => toWire(value, `${path}[${index}]`));
  if (!isPlainObject(params)) throw refused(path, 'must be an array for ? or an object for :name');
  const named = Object.entries(params).map(([name, value]) => [name, toWire(value, `${path}.${name}`)]);
  return Object.fromEntries(named);
}

function toWire(value: unknown, path: string): unknown {
  switch (typeof value) {
    case 'string':
    case 'boolean':
      return value;
    case 'number':
      return checkNumber(value, path);
    case 'bigint':
      return { $bigint: value.toString() };
    case 'object':
      return value === null ? null : objectToWire(value, path);
    case 'undefined':
      throw refused(path, 'is undefined: pass null for NULL');
    default:
      throw refused(path, `is a ${typeof value}, which SQL does not know`);
  }
}

function objectToWire(value: object, path: string): unknown {
  if (value instanceof Uint8Array) return { $bytes: Buffer.from(value).toString('base64') };
  if (value instanceof Date) return dateToWire(value, path);
  if (Array.isArray(value)) {
    throw refused(path, 'is an array: write list([...]) for IN (?), or json([...]) for a JSON column');
  }
  const [tag, ...more] = Object.keys(value);
  if (isPlainObject(value) && more.length === 0) {
    if (tag === '$list') return { $list: listToWire(value.$list, path) };
    if (tag === '$json') return { $json: jsonToWire(value.$json, path) };
    if (tag === '$bytes' || tag === '$bigint' || tag === '$decimal') return value;
  }
  throw refused(path, 'is an object: write json({...}) for a JSON column');
}

function listToWire(items: unknown, path: string): unknown[] {
  if (!Array.isArray(items)) throw refused(path, 'must list its values in an array');
  return Array.from(items, (item, index) => toWire(item, `${path}.$list[${index}]`));
}

function jsonToWire(value: unknown, path: string): unknown {
  try {
    return JSON.parse(JSON.stringify(value), (_key, member: unknown) => checkMember(member, path));
  } catch (cause) {
    throw cause instanceof BrokerError ? cause : refused(path, 'cannot be written as JSON', cause);
  }
}

function checkMember(member: unknown, path: string): unknown {
  if (!isRounded(member)) return member;
  throw refused(path, 'holds an integer beyond 2^53, where numbers are rounded: pass the JSON text instead');
}

function dateToWire(date: Date, path: string): string {
  const year = date.getUTCFullYear();
  if (Number.isNaN(year)) throw refused(path, 'is an invalid Date');
  if (year < 0 || year > 9999) throw refused(path, 'is a Date outside of the years 0 to 9999');
  return date.toISOString().slice(0, -1).replace('T', ' ');
}

function checkNumber(value: number, path: string): number {
  if (!Number.isFinite(value))
    throw refused(path, `is ${value}, which SQL does not know: pass null for NULL`);
  if (isRounded(value)) {
    throw refused(
      path,
      'is an integer beyond 2^53, where numbers are rounded: pass a bigint or decimal(digits)',
    );
  }
  return value;
}

function isPlainObject(value: unknown): value is Record<string, unknown> {
  if (typeof value !== 'object' || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

function refused(path: string, problem: string, cause?: unknown): BrokerError {
  return new BrokerError('INVALID_REQUEST', `${path} ${problem}`, { cause });
}
