import * as z from 'zod/mini';

const BIGINT_MIN = -(2n ** 63n);
const BIGINT_UNSIGNED_MAX = 2n ** 64n - 1n;
const DECIMAL_MAX_DIGITS = 65;

export function isBigintText(text: string): boolean {
  if (!/^-?\d{1,20}$/.test(text)) return false;
  const value = BigInt(text);
  return value >= BIGINT_MIN && value <= BIGINT_UNSIGNED_MAX;
}

export function isDecimalText(text: string): boolean {
  return /^-?\d+(\.\d+)?$/.test(text) && text.replace(/[-.]/g, '').length <= DECIMAL_MAX_DIGITS;
}

export const isWellFormed = (text: string): boolean => !/\p{Surrogate}/u.test(text);

const HALF = 'must not hold half of a surrogate pair';
const wellFormed = z.refine<string>(isWellFormed, HALF);

/** Text that the server gets unchanged: half of a surrogate pair would become another character. */
const WellFormedText = z.string().check(wellFormed);

/** The text of one statement. */
export const StatementText = z.string().check(z.minLength(1), wellFormed);

/** Binary data, base64. */
const BytesValue = z.strictObject({ $bytes: z.base64() });
/** An integer of the range -2^63 to 2^64 - 1, as digits. */
const BigintValue = z.strictObject({
  $bigint: z.string().check(z.refine(isBigintText, 'must be a string of digits within -2^63 to 2^64 - 1')),
});
/** An exact decimal number, at most 65 digits. */
const DecimalValue = z.strictObject({
  $decimal: z.string().check(z.refine(isDecimalText, 'must be at most 65 digits with an optional fraction')),
});
/** Any JSON, bound as the text that the caller sent. */
const JsonValue = z.strictObject({ $json: z.unknown() });

const scalarKinds = 'null, boolean, number, string, {"$bytes"}, {"$bigint"}, {"$decimal"}';

export const ListItem = z.union(
  [z.null(), z.boolean(), z.number(), WellFormedText, BytesValue, BigintValue, DecimalValue],
  `must be ${scalarKinds}`,
);

/** The members of `IN (?)`. */
const ListValue = z.strictObject({
  $list: z.array(ListItem).check(z.minLength(1, 'must hold at least one value')),
});

/** One value for a placeholder. Any other object or array is refused and never reaches the SQL text. */
export const Param = z.union(
  [
    z.null(),
    z.boolean(),
    z.number(),
    WellFormedText,
    BytesValue,
    BigintValue,
    DecimalValue,
    JsonValue,
    ListValue,
  ],
  `must be ${scalarKinds}, {"$json"} or {"$list"}`,
);
export type Param = z.infer<typeof Param>;
export type ListItem = z.infer<typeof ListItem>;

const namedParams = z
  .record(z.string(), Param)
  .check(z.refine((params) => Object.keys(params).every(isWellFormed), `${HALF} in a name`));

/** Positional values for `?`, or named ones for `:name`. */
export const Params = z.union([z.array(Param), namedParams], 'must be an array for ? or an object for :name');
export type Params = z.infer<typeof Params>;

/** A cell of a result: fixed by the column's type, never by the value. */
export type WireValue = null | number | string | { readonly $bytes: string };
