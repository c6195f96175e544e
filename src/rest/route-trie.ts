import { type PathTemplate, parsePathTemplate, type TemplateSegment, type TemplateVariable } from "./path-template.ts";
import { percentDecode, percentDecodeKeepingSlashes } from "./percent-encoding.ts";

/** The result of matching a request's method and path. */
export type RouteMatch<T> =
  | { readonly kind: "match"; readonly target: T; readonly variables: [fieldPath: string, value: string][] }
  | { readonly kind: "wrong-method"; readonly allow: string[] }
  | { readonly kind: "no-match" };

export interface RouteTrie<T> {
  /**
   * Finds the target of a request. `path` is the raw path of the target, still percent-encoded, without the query.
   *
   * Segment by segment a literal is preferred to `*`, and `*` to `**`, whatever the order of declaration; after `**`
   * the segments are compared from the end. If the preferred template lacks the method, the next one that matches is
   * tried, except if the preferred one consists of literals: it alone decides the methods of its path. `*` does not match an
   * empty segment. A path that is not percent-encoded UTF-8 matches nothing.
   *
   * A variable of one segment is decoded; one of several keeps `%2F`. `allow` is sorted.
   */
  match(method: string, path: string): RouteMatch<T>;
}

/** Two routes with the same method and with templates that match the same paths. */
export class RouteConflictError extends Error {
  readonly conflicts: readonly string[];

  constructor(conflicts: readonly string[]) {
    super(conflicts.join("\n"));
    this.name = "RouteConflictError";
    this.conflicts = conflicts;
  }
}

/**
 * Builds the routing trie. The method `*` takes every method that has no route of its own.
 *
 * Throws {@link RouteConflictError} with all duplicates, and `PathTemplateError` on a template that cannot be parsed.
 */
export function buildRouteTrie<T>(bindings: Iterable<{ method: string; template: string; target: T }>): RouteTrie<T> {
  const root = new Node<T>();
  const literals = new Map<string, End<T>>();
  const conflicts: string[] = [];
  for (const { method, template, target } of bindings) {
    const parsed = parsePathTemplate(template);
    const end = root.insert(parsed.segments).end(parsed);
    if (end.literal && parsed.variables.length === 0) {
      literals.set(template, end);
    }
    const rival = end.targets.get(method);
    if (rival === undefined) {
      end.targets.set(method, { target, template: parsed });
    } else {
      conflicts.push(`${method} ${template} is the same route as ${method} ${rival.template.source}`);
    }
  }
  if (conflicts.length > 0) {
    throw new RouteConflictError(conflicts);
  }
  return {
    match(method, path) {
      // A path that equals a template without variables needs no search.
      const target = literals.get(path)?.targets.get(method)?.target;
      return target === undefined ? match(root, method, path) : { kind: "match", target, variables: [] };
    },
  };
}

/** Where templates end: their targets by method. */
interface End<T> {
  readonly literal: boolean;
  readonly targets: Map<string, { readonly target: T; readonly template: PathTemplate }>;
}

class Node<T> {
  readonly literals = new Map<string, Node<T>>();
  single: Node<T> | undefined;
  /** What follows `**`, as a trie of its own from the last segment backwards. */
  multi: Node<T> | undefined;
  /** By verb; without one, by the empty string. */
  readonly ends = new Map<string, End<T>>();

  insert(segments: readonly TemplateSegment[]): Node<T> {
    const multiAt = segments.findIndex((segment) => segment.kind === "multi");
    if (multiAt < 0) {
      return this.descend(segments);
    }
    const before = this.descend(segments.slice(0, multiAt));
    before.multi ??= new Node();
    return before.multi.descend(segments.slice(multiAt + 1).reverse());
  }

  descend(segments: readonly TemplateSegment[]): Node<T> {
    let node: Node<T> = this;
    for (const segment of segments) {
      if (segment.kind === "literal") {
        const child = node.literals.get(segment.value) ?? new Node<T>();
        node.literals.set(segment.value, child);
        node = child;
      } else {
        node.single ??= new Node();
        node = node.single;
      }
    }
    return node;
  }

  end(template: PathTemplate): End<T> {
    const verb = template.verb ?? "";
    let end = this.ends.get(verb);
    if (end === undefined) {
      end = { literal: template.segments.every((segment) => segment.kind === "literal"), targets: new Map() };
      this.ends.set(verb, end);
    }
    return end;
  }
}

function match<T>(root: Node<T>, method: string, path: string): RouteMatch<T> {
  if (!path.startsWith("/")) {
    return { kind: "no-match" };
  }
  const raw = path === "/" ? [] : path.slice(1).split("/");
  const search = new Search<T>(method);
  const last = raw.at(-1) ?? "";
  const colon = last.lastIndexOf(":");
  // A colon at the very end is part of the segment.
  if (colon >= 0 && colon < last.length - 1) {
    const withoutVerb = [...raw.slice(0, -1), last.slice(0, colon)];
    search.start(root, withoutVerb, percentDecode(last.slice(colon + 1)));
  }
  if (!search.decided) {
    search.start(root, raw, "");
  }
  return search.result();
}

/**
 * One search of the trie, in order of preference. Every node is reached on one path only, so the search is bounded by the number of
 * templates, however long the request's path is.
 */
class Search<T> {
  decided = false;
  readonly #method: string;
  #raw: readonly string[] = [];
  #decoded: readonly string[] = [];
  #verb = "";
  #found: RouteMatch<T> | undefined;
  readonly #allow = new Set<string>();

  constructor(method: string) {
    this.#method = method;
  }

  start(root: Node<T>, raw: readonly string[], verb: string | undefined): void {
    const decoded = decodeAll(raw);
    if (decoded !== undefined && verb !== undefined) {
      this.#raw = raw;
      this.#decoded = decoded;
      this.#verb = verb;
      this.#forward(root, 0);
    }
  }

  result(): RouteMatch<T> {
    if (this.#found !== undefined) {
      return this.#found;
    }
    return this.#allow.size > 0 ? { kind: "wrong-method", allow: [...this.#allow].sort() } : { kind: "no-match" };
  }

  #forward(node: Node<T>, index: number): void {
    const segment = this.#decoded[index];
    if (segment === undefined) {
      this.#arrive(node);
    } else {
      const literal = node.literals.get(segment);
      if (literal !== undefined) {
        this.#forward(literal, index + 1);
      }
      if (!this.decided && node.single !== undefined && segment !== "") {
        this.#forward(node.single, index + 1);
      }
    }
    if (!this.decided && node.multi !== undefined) {
      this.#backward(node.multi, index, this.#decoded.length - 1);
    }
  }

  /** Matches what follows `**` from the last segment backwards; `**` takes the segments from `first` on that remain. */
  #backward(node: Node<T>, first: number, index: number): void {
    const segment = index >= first ? this.#decoded[index] : undefined;
    if (segment !== undefined) {
      const literal = node.literals.get(segment);
      if (literal !== undefined) {
        this.#backward(literal, first, index - 1);
      }
      if (!this.decided && node.single !== undefined && segment !== "") {
        this.#backward(node.single, first, index - 1);
      }
    }
    if (!this.decided) {
      this.#arrive(node);
    }
  }

  #arrive(node: Node<T>): void {
    const end = node.ends.get(this.#verb);
    if (end === undefined) {
      return;
    }
    const entry = end.targets.get(this.#method) ?? end.targets.get("*");
    if (entry !== undefined) {
      this.#found = { kind: "match", target: entry.target, variables: capture(entry.template, this.#raw) };
      this.decided = true;
      return;
    }
    for (const method of end.targets.keys()) {
      this.#allow.add(method);
    }
    this.decided = end.literal;
  }
}

function decodeAll(raw: readonly string[]): readonly string[] | undefined {
  if (!raw.some((segment) => segment.includes("%"))) {
    return raw;
  }
  const decoded: string[] = [];
  for (const segment of raw) {
    const text = percentDecode(segment);
    if (text === undefined) {
      return undefined;
    }
    decoded.push(text);
  }
  return decoded;
}

function capture(template: PathTemplate, raw: readonly string[]): [fieldPath: string, value: string][] {
  return template.variables.map((variable) => [variable.fieldPath, captureOne(template, variable, raw)]);
}

function captureOne(template: PathTemplate, variable: TemplateVariable, raw: readonly string[]): string {
  const multiAt = template.segments.findIndex((segment) => segment.kind === "multi");
  const stretch = raw.length - template.segments.length;
  const start = multiAt >= 0 && variable.start > multiAt ? variable.start + stretch : variable.start;
  const end = multiAt >= 0 && variable.end > multiAt ? variable.end + stretch : variable.end;
  const text = raw.slice(start, end).join("/");
  // The segments were decoded before they matched, so they can be decoded.
  return (variable.multiSegment ? percentDecodeKeepingSlashes(text) : percentDecode(text)) ?? text;
}
