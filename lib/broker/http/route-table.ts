import { assert, BrokerError } from '../../errors.ts';
import type { MatchedPath, Route } from './call.ts';

/** Paths that share their first segments. */
interface TrieNode {
  readonly literals: Map<string, TrieNode>;
  parameter: { readonly name: string; readonly branch: TrieNode } | undefined;
  /** Undefined: no path ends here. */
  place: { readonly path: string; readonly routes: Map<string, Route> } | undefined;
}

/** Longer than whatever stands for a parameter. */
const MAX_PARAMETER_LENGTH = 100;

/** Finds routes by the address that a request names. */
export class RouteTable {
  readonly #root = newBranch();

  add(route: Route): void {
    let branch = this.#root;
    for (const segment of segmentsOf(route.path)) branch = addChild(branch, segment);
    branch.place ??= { path: route.path, routes: new Map() };
    branch.place.routes.set(route.method, route);
  }

  /** Undefined if there is nothing. @throws {BrokerError} INVALID_REQUEST: the path cannot be decoded. */
  find(path: string): MatchedPath | undefined {
    const params: Record<string, string> = {};
    let branch = this.#root;
    for (const text of segmentsOf(path).map(decoded)) {
      const { literals, parameter } = branch;
      const literal = literals.get(text);
      if (literal !== undefined) branch = literal;
      else if (parameter !== undefined && isParameter(text)) {
        params[parameter.name] = text;
        branch = parameter.branch;
      } else return undefined;
    }
    return branch.place === undefined ? undefined : { ...branch.place, params };
  }
}

function newBranch(): TrieNode {
  return { literals: new Map(), parameter: undefined, place: undefined };
}

function addChild(branch: TrieNode, segment: string): TrieNode {
  if (segment.startsWith(':')) {
    const name = segment.slice(1);
    branch.parameter ??= { name, branch: newBranch() };
    assert(branch.parameter.name === name, 'two names of one parameter');
    return branch.parameter.branch;
  }
  const next = branch.literals.get(segment) ?? newBranch();
  branch.literals.set(segment, next);
  return next;
}

function segmentsOf(path: string): string[] {
  return path.split('/').slice(1);
}

function isParameter(text: string): boolean {
  return text !== '' && text.length <= MAX_PARAMETER_LENGTH;
}

function decoded(segment: string): string {
  if (!segment.includes('%')) return segment;
  try {
    return decodeURIComponent(segment);
  } catch (cause) {
    throw malformed(cause);
  }
}

function malformed(cause: unknown): BrokerError {
  return new BrokerError('INVALID_REQUEST', 'The URL is malformed', { cause });
}
