import { createContextKey } from "@connectrpc/connect";

/** Tells whether the request has a header, whose name is in lower case, more than once. */
export interface RepeatedHeaders {
  has(name: string): boolean;
}

/**
 * The headers that the request has more than once. `Headers` joins their values, so this cannot be seen there. Set by the server for
 * each request, on every protocol.
 */
export const repeatedHeadersKey = createContextKey<RepeatedHeaders>(
  { has: () => false },
  { description: "repeated headers" },
);

/** Looks in Node's `rawHeaders`, where names and values alternate. */
export class RawHeaders implements RepeatedHeaders {
  readonly #rawHeaders: readonly string[];

  constructor(rawHeaders: readonly string[]) {
    this.#rawHeaders = rawHeaders;
  }

  has(name: string): boolean {
    return this.#rawHeaders.filter((text, index) => index % 2 === 0 && text.toLowerCase() === name).length > 1;
  }
}
