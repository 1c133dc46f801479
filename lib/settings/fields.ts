import * as z from 'zod';

// Every `error` text below completes "path: found X, allowed ...".

/** Node's timers hold 2^31 - 1 and fire at once beyond it. This leaves room for jitter. */
const MAX_TIMER_MS = 1_900_000_000;

/** A section of the document. Unknown keys are refused; the message lists the known keys, the most similar first. */
export function section<S extends z.core.$ZodLooseShape>(shape: S) {
  return z.strictObject(shape, {
    error: (issue) =>
      issue.code === 'unrecognized_keys'
        ? nearestFirst(issue.keys[0] ?? '', Object.keys(shape)).join(', ')
        : 'a mapping',
  });
}

/** Entries by name. A bad name does not hide problems of its entry. */
export function named<V extends z.ZodType>(name: z.ZodString, entry: V, allowed: string) {
  const refuseBadNames = (entries: unknown, context: z.RefinementCtx) => {
    if (typeof entries !== 'object' || entries === null || Array.isArray(entries)) return;
    for (const key of Object.keys(entries)) {
      const [problem] = name.safeParse(key).error?.issues ?? [];
      if (problem === undefined) continue;
      const { message } = problem;
      context.addIssue({ code: 'invalid_key', origin: 'record', issues: [problem], path: [key], message });
    }
  };
  return (
    z
      .record(z.string(), entry, allowed)
      // Also if entries are wrong.
      .superRefine(refuseBadNames, { when: () => true })
      .meta({ propertyNames: { pattern: z.toJSONSchema(name).pattern } })
  );
}

export function integer(min: number, max?: number) {
  const least = `an integer of at least ${min}`;
  const field = z.int(least).min(min, least);
  return max === undefined ? field : field.max(max, `an integer of at most ${max}`);
}

/** A positive duration. */
export const milliseconds = integer(1, MAX_TIMER_MS);
/** A duration that may be 0. */
export const millisecondsOrNone = integer(0, MAX_TIMER_MS);
export const bytes = integer(1);

export const flag = z.boolean('true or false');

export function choice<const V extends readonly string[]>(...values: V) {
  return z.enum(values, values.join(', '));
}

export function text(pattern: RegExp, allowed: string) {
  return z.string(allowed).regex(pattern, allowed);
}

export const path = text(/^[^\0]+$/, 'the path of a file');

/** The known words by their edit distance from `word`. */
export function nearestFirst(word: string, known: readonly string[]): string[] {
  const distances = new Map(known.map((key) => [key, distance(word, key)]));
  return known.toSorted((one, other) => (distances.get(one) ?? 0) - (distances.get(other) ?? 0));
}

/** The Levenshtein distance of two words. */
function distance(from: string, to: string): number {
  let row = Array.from({ length: to.length + 1 }, (_, column) => column);
  for (const [index, letter] of [...from.toLowerCase()].entries()) {
    const next = [index + 1];
    for (const [column, target] of [...to.toLowerCase()].entries()) {
      const change = (row[column] ?? 0) + (letter === target ? 0 : 1);
      next.push(Math.min(change, (row[column + 1] ?? 0) + 1, (next[column] ?? 0) + 1));
    }
    row = next;
  }
  return row.at(-1) ?? 0;
}

/** A host name or an IP address, with an optional port. */
export const SERVER_NAME =
  /^([\w.-]{1,253}|[\da-f]{0,4}:[\da-f]{0,4}:[\da-f:.]{0,37}(%[\w.-]{1,16})?)(:\d{1,5})?$/i;
