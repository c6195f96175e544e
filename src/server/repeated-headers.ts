import { createContextKey } from "@connectrpc/connect";

/**
 * The names, in lower case, of headers that the request has more than once: `Headers` joins their values to one. Set by the
 * server for each request, on every protocol.
 */
export const repeatedHeadersKey = createContextKey<ReadonlySet<string>>(new Set(), { description: "repeated headers" });

/** Finds them in names and values by turns, as Node has them. */
export function findRepeatedHeaders(rawHeaders: readonly string[]): ReadonlySet<string> {
  const seen = new Set<string>();
  const repeated = new Set<string>();
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = rawHeaders[index]?.toLowerCase() ?? "";
    if (seen.has(name)) {
      repeated.add(name);
    }
    seen.add(name);
  }
  return repeated;
}
