import type { Route } from "@byond/rest/route";
import { buildRouteTrie } from "@byond/rest/route-trie";
import { accessOf } from "../access/authorize.ts";
import type { IsForPages } from "../server/cors.ts";

/** The paths, over REST and RPC, of the calls that a publishable key may make. `routes`: all of the server's. */
export function pathsForPages(routes: readonly Route[]): IsForPages {
  const isPublishable = ({ method }: Route) => accessOf(method).publishable;
  const rpcs = new Set(routes.filter(isPublishable).map(({ method }) => `/${method.parent.typeName}/${method.name}`));
  const trie = buildRouteTrie(
    routes.map((route) => ({ method: route.httpMethod, template: route.template, target: isPublishable(route) })),
  );
  return (path) => {
    const match = trie.match("POST", path);
    return rpcs.has(path) || (match.kind === "match" && match.target);
  };
}
