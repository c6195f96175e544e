import type { DescField, JsonObject } from "@bufbuild/protobuf";
import type { Direction } from "@byond/rest/openapi/value-schema";

/** The name of the component that lists the scopes. */
export const scopeComponent = "Scope";

/** What a scope allows, for readers. Scopes of other capabilities have no text. */
const allowed: Readonly<Record<string, string>> = {
  verify:
    "Start, check, read, resend and cancel verifications, and erase recipients. A key that names it, or `*`, can export them, too.",
  reports: "List verifications, and read reports.",
  lookup: "Look up phone numbers.",
  email: "Look up email addresses.",
  events: "Read and follow events.",
  templates: "Manage templates. A key has it only if it names it, or `*`.",
  webhooks: "Manage webhooks. A key has it only if it names it, or `*`.",
  guard: "Manage the fraud guard. A key has it only if it names it, or `*`.",
  "*": "Every call that takes a key.",
};

/** The schema of a scope. The protobuf schema has texts instead: which scopes there are, capabilities decide. */
export function scopeSchema(scopes: readonly string[]): JsonObject {
  return {
    type: "string",
    enum: [...scopes],
    description: "What a key may be used for.",
    "x-enum-descriptions": scopes.map((scope) => allowed[scope] ?? ""),
  };
}

/** The component of a field that holds scopes. In responses they are texts: a server may have more of them tomorrow. */
export function scopeComponentOf({ parent, name }: DescField, direction: Direction): string | undefined {
  return direction === "request" && `${parent.name}.${name}` === "ScopeSet.scopes" ? scopeComponent : undefined;
}
