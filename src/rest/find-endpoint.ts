import type { Endpoint } from "./endpoint.ts";
import { GatewayError } from "./gateway-error.ts";
import { percentDecode } from "./percent-encoding.ts";
import type { RouteMatch, RouteTrie } from "./route-trie.ts";

/** What a request asks for: a call of an endpoint, or the methods of its path (`OPTIONS`). */
export type Found =
  | { readonly kind: "endpoint"; readonly endpoint: Endpoint; readonly variables: [string, string][] }
  | { readonly kind: "options"; readonly allow: readonly string[] };

/**
 * Finds the endpoint of a request. `HEAD` is served by `GET` where it has no route of its own.
 *
 * Throws `not-found`, `method-not-allowed` (with the methods of the path, and `HEAD` beside `GET`), or
 * `malformed-target` if the path is not percent-encoded UTF-8.
 */
export function findEndpoint(routes: RouteTrie<Endpoint>, method: string, path: string): Found {
  let matched: RouteMatch<Endpoint> = routes.match(method, path);
  if (matched.kind === "wrong-method" && method === "HEAD" && matched.allow.includes("GET")) {
    matched = routes.match("GET", path);
  }
  switch (matched.kind) {
    case "match":
      return { kind: "endpoint", endpoint: matched.target, variables: matched.variables };
    case "wrong-method": {
      const allow = (matched.allow.includes("GET") ? [...new Set([...matched.allow, "HEAD"])] : matched.allow).sort();
      if (method === "OPTIONS") {
        return { kind: "options", allow };
      }
      throw new GatewayError("method-not-allowed", `This path takes ${allow.join(", ")} only.`, {
        allow,
        headers: { allow: allow.join(", ") },
      });
    }
    case "no-match":
      if (percentDecode(path) === undefined) {
        throw new GatewayError("malformed-target", "The path of the request is not percent-encoded UTF-8.");
      }
      throw new GatewayError("not-found", "There is nothing at this path.");
  }
}
