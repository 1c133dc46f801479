import { assert, BrokerError } from '../../errors.ts';
import type { MatchedPath, Route } from './call.ts';

/** Paths that share their first segments. */
interface TrieNode {
  readonly literals: Map<string, TrieNode>;
  parameter: { readonly name: string; readonly node: TrieNode } | undefined;
  /** Undefined: no path ends here. */
  match: { readonly path: string; readonly routes: Map<string, Route> } | undefined;
}

/** Longer than any value of a parameter. */
const MAX_PARAMETER_LENGTH = 100;

/** Finds routes by the path of a request. */
export class RouteTable {
  readonly #root = newNode();

  add(route: Route): void {
    let node = this.#root;
    for (const segment of segmentsOf(route.path)) node = addChild(node, segment);
    node.match ??= { path: route.path, routes: new Map() };
    node.match.routes.set(route.method, route);
  }

  /** Undefined if no route matches. @throws {BrokerError} INVALID_REQUEST: the path cannot be decoded. */
  find(path: string): MatchedPath | undefined {
    const params: Record<string, string> = {};
    let node = this.#root;
    for (const text of segmentsOf(path).map(decoded)) {
      const { literals, parameter } = node;
      const literal = literals.get(text);
      if (literal !== undefined) node = literal;
      else if (parameter !== undefined && isParameter(text)) {
        params[parameter.name] = text;
        node = parameter.node;
      } else return undefined;
    }
    return node.match === undefined ? undefined : { ...node.match, params };
  }
}

function newNode(): TrieNode {
  return { literals: new Map(), parameter: undefined, match: undefined };
}

function addChild(node: TrieNode, segment: string): TrieNode {
  if (segment.startsWith(':')) {
    const name = segment.slice(1);
    node.parameter ??= { name, node: newNode() };
    assert(node.parameter.name === name, 'two names of one parameter');
    return node.parameter.node;
  }
  const next = node.literals.get(segment) ?? newNode();
  node.literals.set(segment, next);
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
