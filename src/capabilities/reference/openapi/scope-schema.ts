import type { DescField, DescService, JsonObject } from "@bufbuild/protobuf";
import type { Direction } from "@byond/rest/openapi/value-schema";
import { allowedBy, namedCallsByScope, namedNote } from "../scopes.ts";

/** The name of the component that lists the scopes. */
export const scopeComponent = "Scope";

/** The schema of a scope. The protobuf schema has texts instead: which scopes there are, capabilities decide. */
export function scopeSchema(scopes: readonly string[], services: readonly DescService[]): JsonObject {
  const named = namedCallsByScope(services);
  return {
    type: "string",
    enum: [...scopes],
    description: "What a key may be used for.",
    "x-enum-descriptions": scopes.map((scope) =>
      [allowedBy(scope), namedNote(named.get(scope))].filter((text) => text !== "").join(" "),
    ),
  };
}

/** The component of a field that holds scopes. In responses they are texts: a server may have more of them tomorrow. */
export function scopeComponentOf({ parent, name }: DescField, direction: Direction): string | undefined {
  return direction === "request" && `${parent.name}.${name}` === "ScopeSet.scopes" ? scopeComponent : undefined;
}
