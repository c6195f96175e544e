import type { Readable } from "node:stream";

/**
 * Reads and discards the rest of a request's body. `resume()` is not enough: a reader that began may still listen for
 * `readable`, and then the stream does not flow.
 */
export function discardBody(request: Readable): void {
  const discard = () => {
    while (request.read() !== null);
  };
  request.on("readable", discard);
  discard();
}
