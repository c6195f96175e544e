import type { Readable } from "node:stream";

/**
 * Reads what is left of a request's body, and throws it away. Whoever began to read may still be listening, so that the stream
 * would not flow by itself.
 */
export function discardBody(request: Readable): void {
  const discard = () => {
    while (request.read() !== null);
  };
  request.on("readable", discard);
  discard();
}
