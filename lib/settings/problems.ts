import type * as z from 'zod';
import { SERVER_NAME } from './fields.ts';

/** ENOENT and the like; unlike the message it holds no path. */
export function errorCode(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : 'unknown';
}

type Path = readonly PropertyKey[];

const PLAIN_NAME = /^[\w.-]{1,63}$/;

/** The settings cannot be used. Its lines may be printed: none of them shows a secret. */
export class SettingsError extends Error {
  /** One line each: where, what was found, what is allowed. */
  readonly problems: readonly string[];

  constructor(problems: readonly string[], options?: ErrorOptions) {
    super(['The settings cannot be used:', ...problems].join('\n  '), options);
    this.name = 'SettingsError';
    this.problems = problems;
  }
}

export function problem(path: Path, found: unknown, allowed: string): string {
  return line(path, isSecretPlace(path) ? kindOf(found) : shown(found), allowed);
}

/** Segments that cannot be names are shown as `?`: they may hold anything, as a mistyped `password:secret`. */
export function pathText(path: Path): string {
  const segments = path.map(String).map((segment, index) => {
    const names = index === 1 && path[0] === 'servers' ? SERVER_NAME : PLAIN_NAME;
    return names.test(segment) ? segment : '?';
  });
  return segments.length === 0 ? 'the document' : segments.join('.');
}

/** The problems that the schema found. Its messages say what is allowed: see fields.ts. */
export function schemaProblems(error: z.core.$ZodError, document: unknown): string[] {
  return error.issues.flatMap((issue) => issueProblems(issue, document));
}

function issueProblems(issue: z.core.$ZodIssue, document: unknown): string[] {
  const { path, message } = issue;
  const found = valueAt(document, path);
  switch (issue.code) {
    case 'unrecognized_keys':
      if (isSecretPlace(path)) return [line(path, 'an unknown key', message)];
      return issue.keys.map((key) => line([...path, key], 'an unknown key', message));
    case 'invalid_key':
      return [line(path, 'another name', issue.issues[0]?.message ?? message)];
    case 'invalid_type':
      // A string at the wrong position could be a secret, so it is not shown.
      return [typeof found === 'string' ? line(path, 'a string', message) : problem(path, found, message)];
    case 'invalid_union':
      return (
        meantForm(issue)?.flatMap((inner) =>
          issueProblems({ ...inner, path: [...path, ...inner.path] }, document),
        ) ?? [problem(path, found, message)]
      );
    default:
      return [problem(path, found, message)];
  }
}

/** A union reports the problems of every form. The form meant is the only one that has all of the given keys. */
function meantForm({ errors }: z.core.$ZodIssueInvalidUnion): z.core.$ZodIssue[] | undefined {
  const [form, ...others] = errors.filter((issues) => issues.every((issue) => issue.path.length > 0));
  return others.length === 0 ? form : undefined;
}

/** A problem with its own text for what was found. That text must not come from the document. */
export function line(path: Path, found: string, allowed: string): string {
  return `${pathText(path)}: found ${found}, allowed ${allowed}`;
}

function valueAt(document: unknown, path: Path): unknown {
  let value = document;
  for (const segment of path) {
    if (typeof value !== 'object' || value === null) return undefined;
    value = Reflect.get(value, segment);
  }
  return value;
}

function isSecretPlace(path: Path): boolean {
  return path.some((segment) => /^credentials$|^key|password|token|secretId/i.test(String(segment)));
}

function shown(value: unknown): string {
  if (typeof value === 'number' || typeof value === 'boolean') return String(value);
  if (typeof value === 'string' && /^[\w.,:+-]{1,32}$/.test(value)) return JSON.stringify(value);
  return kindOf(value);
}

function kindOf(value: unknown): string {
  if (value === undefined || value === null) return 'nothing';
  if (Array.isArray(value)) return value.length === 0 ? 'an empty list' : 'a list';
  if (typeof value === 'object') return Object.keys(value).length === 0 ? 'an empty mapping' : 'a mapping';
  return `a ${typeof value}`;
}
