const HASH = 0x23;
const MINUS = 0x2d;
const SPACE = 0x20;
const DELETE = 0x7f;

/** Most comments in a row, or nested in one: they are skipped in one step. */
export const MAX_COMMENTS = 65_535;
/** More than {@link MAX_COMMENTS} are nested. */
export const TOO_MANY = -1;

/** The end of the open comment, after its closing mark. Undefined: it is not closed. */
export function endOfComment(sql: string, from: number): number | undefined {
  const close = sql.indexOf('*/', from);
  return close === -1 ? undefined : close + 2;
}

/** The same for a comment that may hold plain comments, one level deep. */
export function endOfNestingComment(sql: string, from: number): number | undefined {
  let end = endOfComment(sql, from);
  let nested = sql.indexOf('/*', from);
  for (let count = 0; end !== undefined && nested !== -1 && nested < end - 2; count += 1) {
    if (count === MAX_COMMENTS) return TOO_MANY;
    const nestedEnd = endOfComment(sql, nested + 2);
    if (nestedEnd === undefined) return undefined;
    end = endOfComment(sql, nestedEnd);
    nested = sql.indexOf('/*', nestedEnd);
  }
  return end;
}

/** The five or six digits after the opening of an executable comment; fewer are code. */
export function lengthOfVersion(sql: string, from: number): number {
  const [digits = ''] = /^\d{0,6}/.exec(sql.slice(from, from + 6)) ?? [];
  return digits.length < 5 ? 0 : digits.length;
}

/** Whether a line comment begins here. */
export function startsLineComment(sql: string, at: number): boolean {
  const code = sql.charCodeAt(at);
  if (code !== MINUS) return code === HASH;
  if (sql.charCodeAt(at + 1) !== MINUS) return false;
  const next = sql.charCodeAt(at + 2);
  return Number.isNaN(next) || next <= SPACE || next === DELETE;
}
