import { assert, BrokerError } from '../../errors.ts';
import type { Caller } from '../../settings/caller-keys.ts';
import type { Call } from './call.ts';
import type { Reply } from './reply.ts';

export type AccessLevel = Caller['access'];

/** What is done when a method is asked for at an address. */
export interface Route {
  readonly method: 'GET' | 'POST';
  /** Whole segments of it may be parameters, as `:alias`. */
  readonly path: string;
  /** What a caller must be allowed to do. Absent: anybody may call, without a key. */
  readonly access?: AccessLevel;
  /** Answered while the broker drains, for transactions that are open. */
  readonly servesOpenTransactions?: boolean;
  /** Undefined: it has answered by itself. What it fails with is answered as a failure. */
  readonly handle: (call: Call) => Promise<Reply | undefined>;
}

/** By name. */
export type PathParams = Readonly<Record<string, string>>;

/** What there is at an address: a route for each method. */
export interface Place {
  readonly path: string;
  readonly routes: ReadonlyMap<string, Route>;
  readonly params: PathParams;
}

/** Paths that share their first segments. */
interface Branch {
  readonly literals: Map<string, Branch>;
  parameter: { readonly name: string; readonly branch: Branch } | undefined;
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
    for (const segment of segmentsOf(route.path)) branch = grow(branch, segment);
    branch.place ??= { path: route.path, routes: new Map() };
    branch.place.routes.set(route.method, route);
  }

  /** Undefined if there is nothing. @throws {BrokerError} INVALID_REQUEST: the path cannot be decoded. */
  find(path: string): Place | undefined {
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

function newBranch(): Branch {
  return { literals: new Map(), parameter: undefined, place: undefined };
}

function grow(branch: Branch, segment: string): Branch {
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
