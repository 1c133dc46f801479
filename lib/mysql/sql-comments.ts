/** Where the comment ends that was opened before, behind its closing mark. undefined: nowhere. */
export function endOfComment(sql: string, from: number): number | undefined {
  const close = sql.indexOf('*/', from);
  return close === -1 ? undefined : close + 2;
}

/** As above, for a comment that may hold plain comments, one level deep. */
export function endOfNestingComment(sql: string, from: number): number | undefined {
  let end = endOfComment(sql, from);
  let nested = sql.indexOf('/*', from);
  while (end !== undefined && nested !== -1 && nested < end - 2) {
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
