import { createContextKey } from "@connectrpc/connect";

/**
 * The target of the request, path and query as they were sent: URLs that were parsed since may be written differently. Set
 * by the server for each request, on every protocol.
 */
export const requestTargetKey = createContextKey<string>("", { description: "request target" });
