import { createContextKey } from "@connectrpc/connect";

/**
 * The names, in lower case, of headers that the request has more than once. `Headers` joins their values, so this cannot be
 * seen there. Set by the server for each request, on every protocol.
 */
export const repeatedHeadersKey = createContextKey<ReadonlySet<string>>(new Set(), { description: "repeated headers" });

/** Finds them in Node's `rawHeaders`, where names and values alternate. */
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
