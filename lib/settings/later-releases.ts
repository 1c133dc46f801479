import * as z from 'zod';
import { pathText } from './problems.ts';

/** The schema knows these settings, their features come later. A feature that arrives deletes its line. */
const NOT_YET_AVAILABLE = ['BROKER_PEAK_TASKS'];

/** A line for each setting, of a document or of the environment, that this release has no use for. */
export function notYetAvailable(settings: unknown): string[] {
  return NOT_YET_AVAILABLE.flatMap((pattern) => pathsTo(pattern, settings)).map(
    (path) => `${pathText(path)}: not available yet`,
  );
}

const Mapping = z.record(z.string(), z.unknown());

/** Where a document states a setting. `*` stands for any name. */
export function pathsTo(pattern: string, document: unknown): string[][] {
  const [segment = '', ...rest] = pattern.split('.');
  return Object.entries(Mapping.safeParse(document).data ?? {})
    .filter(([name, value]) => (segment === '*' || segment === name) && value !== undefined)
    .flatMap(([name, value]) =>
      rest.length === 0 ? [[name]] : pathsTo(rest.join('.'), value).map((path) => [name, ...path]),
    );
}
