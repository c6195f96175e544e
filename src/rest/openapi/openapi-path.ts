import type { DescField } from "@bufbuild/protobuf";
import type { Route } from "../route.ts";

/** A `{…}` of an OpenAPI path: always one segment. */
export interface PathPart {
  readonly name: string;
  /** The field that the segment is bound to; undefined for a wildcard outside of a variable. */
  readonly field: DescField | undefined;
  /** Whether the segment is the whole value of the field. */
  readonly isWhole: boolean;
  /** Whether it is `**`, which matches slashes too. OpenAPI cannot express that. */
  readonly takesSlashes: boolean;
}

/**
 * Writes the path of a route for OpenAPI, with a part for each wildcard: a variable `name` of the segments `shelves`,
 * `*`, `books`, `*` becomes `shelves/{name_1}/books/{name_2}`.
 */
export function openApiPath(route: Route): { readonly path: string; readonly parts: readonly PathPart[] } {
  const { segments, variables, verb } = route.path;
  const parts: PathPart[] = [];
  const written = segments.map((segment, index) => {
    if (segment.kind === "literal") {
      return encodeURIComponent(segment.value);
    }
    const variable = variables.find(({ start, end }) => index >= start && index < end);
    const wildcards = variable && segments.slice(variable.start, variable.end).filter(({ kind }) => kind !== "literal");
    const position = 1 + segments.slice(variable?.start ?? 0, index).filter(({ kind }) => kind !== "literal").length;
    const base = variable?.fieldPath ?? "wildcard";
    const name = wildcards?.length === 1 ? base : `${base}_${position}`;
    const bound = route.pathParameters.find(({ fieldPath }) => fieldPath === variable?.fieldPath);
    parts.push({
      name,
      field: bound?.fields.at(-1),
      isWhole: variable !== undefined && variable.end - variable.start === 1,
      takesSlashes: segment.kind === "multi",
    });
    return `{${name}}`;
  });
  return { path: `/${written.join("/")}${verb === undefined ? "" : `:${verb}`}`, parts };
}
