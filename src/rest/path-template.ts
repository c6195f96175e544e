/** One step of a template: a literal (percent-decoded), `*` (one segment) or `**` (any number of segments). */
export type TemplateSegment =
  | { readonly kind: "literal"; readonly value: string }
  | { readonly kind: "single" }
  | { readonly kind: "multi" };

/** A `{field.path=…}` of a template: it captures the segments from `start` up to, not including, `end`. */
export interface TemplateVariable {
  readonly fieldPath: string;
  readonly start: number;
  readonly end: number;
  /** Whether the variable may capture more than one segment, and therefore keeps `%2F` encoded. */
  readonly multiSegment: boolean;
}

export interface PathTemplate {
  readonly source: string;
  readonly segments: readonly TemplateSegment[];
  readonly variables: readonly TemplateVariable[];
  /** What follows the colon of `…:verb`. */
  readonly verb: string | undefined;
}

/** A template that breaks the grammar of `google.api.http`, and where. */
export class PathTemplateError extends Error {
  readonly template: string;
  /** Index of the offending character, from 0. */
  readonly position: number;

  constructor(template: string, position: number, problem: string) {
    super(`${problem} at position ${position} of the path template "${template}"`);
    this.name = "PathTemplateError";
    this.template = template;
    this.position = position;
  }
}

/**
 * Parses a path template of `google.api.http` (google/api/http.proto, "Path template syntax").
 *
 * Beyond that grammar, `/` alone is the root, and `**` may be followed by further segments; it may still occur only
 * once. Nested variables and a field that is bound twice are refused. Throws {@link PathTemplateError}.
 */
export function parsePathTemplate(template: string): PathTemplate {
  const parser: Parser = { template, position: 0, segments: [], variables: [] };
  expect(parser, "/");
  if (template === "/") {
    return { source: template, segments: [], variables: [], verb: undefined };
  }
  parseSegments(parser, false);
  let verb: string | undefined;
  if (peek(parser) === ":") {
    parser.position += 1;
    verb = parseLiteral(parser, "a verb");
  }
  if (parser.position < template.length) {
    throw problem(parser, `unexpected "${peek(parser)}"`);
  }
  return { source: template, segments: parser.segments, variables: parser.variables, verb };
}

interface Parser {
  readonly template: string;
  position: number;
  readonly segments: TemplateSegment[];
  readonly variables: TemplateVariable[];
}

function parseSegments(parser: Parser, insideVariable: boolean): void {
  parseSegment(parser, insideVariable);
  while (peek(parser) === "/") {
    parser.position += 1;
    parseSegment(parser, insideVariable);
  }
}

function parseSegment(parser: Parser, insideVariable: boolean): void {
  if (peek(parser) === "{") {
    if (insideVariable) {
      throw problem(parser, "a variable inside a variable");
    }
    parseVariable(parser);
  } else if (parser.template.startsWith("**", parser.position)) {
    if (parser.segments.some((segment) => segment.kind === "multi")) {
      throw problem(parser, 'a second "**"');
    }
    parser.position += 2;
    parser.segments.push({ kind: "multi" });
  } else if (peek(parser) === "*") {
    parser.position += 1;
    parser.segments.push({ kind: "single" });
  } else {
    parser.segments.push({ kind: "literal", value: parseLiteral(parser, "a segment") });
  }
}

function parseVariable(parser: Parser): void {
  expect(parser, "{");
  const fieldPath = parseFieldPath(parser);
  const start = parser.segments.length;
  if (peek(parser) === "=") {
    parser.position += 1;
    parseSegments(parser, true);
  } else {
    parser.segments.push({ kind: "single" });
  }
  expect(parser, "}");
  const captured = parser.segments.slice(start);
  const multiSegment = captured.length > 1 || captured.some((segment) => segment.kind === "multi");
  parser.variables.push({ fieldPath, start, end: parser.segments.length, multiSegment });
}

function parseFieldPath(parser: Parser): string {
  const start = parser.position;
  const fieldPath = matchHere(parser, /[A-Za-z_][A-Za-z0-9_]*(?:\.[A-Za-z_][A-Za-z0-9_]*)*/y);
  if (fieldPath === undefined) {
    throw problem(parser, "expected a field name");
  }
  if (parser.variables.some((variable) => variable.fieldPath === fieldPath)) {
    throw new PathTemplateError(parser.template, start, `the field "${fieldPath}" is bound twice`);
  }
  return fieldPath;
}

/** The characters of a path segment (RFC 3986 §3.3) without `:` and `*`, which mean something in a template. */
const literalCharacters = /(?:[A-Za-z0-9\-._~!$&'()+,;=@]|%[0-9A-Fa-f]{2})+/y;

function parseLiteral(parser: Parser, expected: string): string {
  const start = parser.position;
  const literal = matchHere(parser, literalCharacters);
  if (literal === undefined) {
    throw problem(parser, `expected ${expected}`);
  }
  try {
    return decodeURIComponent(literal);
  } catch {
    throw new PathTemplateError(parser.template, start, "percent-encoding that is not UTF-8");
  }
}

function matchHere(parser: Parser, pattern: RegExp): string | undefined {
  pattern.lastIndex = parser.position;
  const matched = pattern.exec(parser.template)?.[0];
  parser.position += matched?.length ?? 0;
  return matched;
}

function peek(parser: Parser): string | undefined {
  return parser.template[parser.position];
}

function expect(parser: Parser, character: string): void {
  if (peek(parser) !== character) {
    throw problem(parser, `expected "${character}"`);
  }
  parser.position += 1;
}

function problem(parser: Parser, text: string): PathTemplateError {
  const atEnd = parser.position >= parser.template.length;
  return new PathTemplateError(parser.template, parser.position, atEnd ? `${text}, found the end` : text);
}
