import type * as z from 'zod/mini';

const SHOWN_KEYS = 10;
const SHOWN_KEY_LENGTH = 64;

type Issue = z.core.$ZodIssue;

interface Problem {
  readonly path: readonly PropertyKey[];
  readonly message: string;
}

/** A sentence for each problem of a request: the field, `within` its parent, and what is allowed. */
export function describeProblems(error: z.core.$ZodError, within: readonly PropertyKey[] = []): string[] {
  return error.issues.map((issue) => {
    const problem = toProblem(issue);
    const path = [...within, ...problem.path];
    return path.length === 0 ? `the body ${problem.message}` : `${path.join('.')} ${problem.message}`;
  });
}

function toProblem(issue: Issue): Problem {
  const { path } = issue;
  switch (issue.code) {
    case 'invalid_union':
      return deepestProblem(issue);
    case 'invalid_type':
      return { path, message: `must be ${withArticle(issue.expected)}` };
    case 'invalid_value':
      return { path, message: `must be one of ${issue.values.join(', ')}` };
    case 'unrecognized_keys':
      return { path, message: `has the unknown field ${quoted(issue.keys)}` };
    case 'too_small':
      return { path, message: worded(issue) ?? `must be at least ${issue.minimum}${unitOf(issue.origin)}` };
    case 'too_big':
      return { path, message: worded(issue) ?? `must be at most ${issue.maximum}${unitOf(issue.origin)}` };
    case 'invalid_format':
      return { path, message: worded(issue) ?? `must be valid ${issue.format}` };
    default:
      return { path, message: worded(issue) ?? 'is not allowed' };
  }
}

/**
 * A union reports the problems of every form. The form meant is the one that fits deepest and that the given field names
 * do not exclude.
 */
function deepestProblem(union: z.core.$ZodIssueInvalidUnion): Problem {
  const candidates = union.errors
    .filter((issues) => !issues.some((issue) => issue.code === 'unrecognized_keys'))
    .flatMap((issues) => issues.slice(0, 1))
    .map(toProblem)
    .sort((one, other) => other.path.length - one.path.length);
  const [deepest, next] = candidates;
  const isAmbiguous = deepest?.path.length === next?.path.length;
  if (deepest === undefined || deepest.path.length === 0 || isAmbiguous) {
    return { path: union.path, message: worded(union) ?? 'is not allowed' };
  }
  return { path: [...union.path, ...deepest.path], message: deepest.message };
}

/** Only the first few: a caller may send any number of them. */
function quoted(keys: readonly string[]): string {
  const shown = keys.slice(0, SHOWN_KEYS).map((key) => `"${key.slice(0, SHOWN_KEY_LENGTH)}"`);
  return keys.length > SHOWN_KEYS ? `${shown.join(', ')} and others` : shown.join(', ');
}

/** zod/mini has no messages of its own: its default says nothing. */
function worded(issue: Issue): string | undefined {
  return issue.message === 'Invalid input' ? undefined : issue.message;
}

function withArticle(type: string): string {
  if (type === 'null') return 'null';
  if (type === 'int') return 'an integer';
  return /^[aeiou]/.test(type) ? `an ${type}` : `a ${type}`;
}

function unitOf(origin: string): string {
  if (origin === 'string') return ' characters';
  return origin === 'array' ? ' items' : '';
}
