import * as z from 'zod';
import { type DocumentSource, isLoopback } from '../environment.ts';
import { line, problem } from '../problems.ts';
import { type Check, checkOf } from './check.ts';

/** Rules that depend on the source of the document, and on the address that the broker listens at. */
export function documentChecks(variable: DocumentSource['variable'], host: string): readonly Check[] {
  return [anonymousOnlyOnLoopback(host), ...(variable === 'BROKER_SETTINGS' ? [holdsNoPassword] : [])];
}

function anonymousOnlyOnLoopback(host: string): Check {
  return checkOf(z.object({ allowAnonymous: z.literal(true) }), () =>
    isLoopback(host)
      ? []
      : [problem(['allowAnonymous'], true, 'only with HOST a loopback address like 127.0.0.1')],
  );
}

const holdsNoPassword: Check = (document) =>
  pathsTo('databases.*.credentials.password', document).map((path) =>
    line(path, 'a password', 'in BROKER_SETTINGS: secretId or file only'),
  );

const Mapping = z.record(z.string(), z.unknown());

/** The paths of a setting in a document. `*` stands for any name. */
function pathsTo(pattern: string, document: unknown): string[][] {
  const [segment = '', ...rest] = pattern.split('.');
  return Object.entries(Mapping.safeParse(document).data ?? {})
    .filter(([name, value]) => (segment === '*' || segment === name) && value !== undefined)
    .flatMap(([name, value]) =>
      rest.length === 0 ? [[name]] : pathsTo(rest.join('.'), value).map((path) => [name, ...path]),
    );
}
