import * as z from 'zod';

/** Says what a part of the document, found at this path, says against itself: a line each. */
export type Check = (part: unknown, path: readonly PropertyKey[]) => string[];

/** A check of the parts that it needs. Where they are not in order by themselves, it has nothing to say. */
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

/** A check of each entry by itself. */
export function inEach(group: Group, check: Check): Check {
  return (document) => entriesOf(document, group).flatMap(([name, entry]) => check(entry, [group, name]));
}

const AnyMapping = z.record(z.string(), z.unknown());

export function entriesOf(document: unknown, group: Group): [name: string, entry: unknown][] {
  const mapping = AnyMapping.safeParse(document).data;
  return Object.entries(AnyMapping.safeParse(mapping?.[group]).data ?? {});
}
