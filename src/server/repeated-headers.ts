import { createContextKey } from "@connectrpc/connect";

/**
 * The names, in lower case, of headers that the request has more than once: `Headers` joins their values to one. Set by the
 * server for each request, on every protocol.
 */
export const repeatedHeadersKey = createContextKey<ReadonlySet<string>>(new Set(), { description: "repeated headers" });

/** Finds them in names and values by turns, as Node has them. */
export function findRepeatedHeaders(rawHeaders: readonly string[]): ReadonlySet<string> {
  const names = rawHeaders.filter((_, index) => index % 2 === 0).map((name) => name.toLowerCase());
  return new Set(names.filter((name, index) => names.indexOf(name) < index));
}
