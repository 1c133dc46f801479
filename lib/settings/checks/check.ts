import * as z from 'zod';

/** Returns a line for each problem of the part of the document at this path. */
export type Check = (part: unknown, path: readonly PropertyKey[]) => string[];

/** A check that needs some parts. It reports nothing if these are invalid by themselves. */
export function checkOf<S extends z.ZodType>(
  needs: S,
  problemsOf: (parts: z.output<S>, path: readonly PropertyKey[]) => string[],
): Check {
  return (part, path) => {
    const parts = needs.safeParse(part);
    return parts.success ? problemsOf(parts.data, path) : [];
  };
}

type Group = 'databases' | 'callers';

/** Checks each entry of a group. */
export function inEach(group: Group, check: Check): Check {
  return (document) => entriesOf(document, group).flatMap(([name, entry]) => check(entry, [group, name]));
}

const AnyMapping = z.record(z.string(), z.unknown());

export function entriesOf(document: unknown, group: Group): [name: string, entry: unknown][] {
  const mapping = AnyMapping.safeParse(document).data;
  return Object.entries(AnyMapping.safeParse(mapping?.[group]).data ?? {});
}
