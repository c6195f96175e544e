/** Providers post a few dozen. */
const maxFields = 200;

/**
 * Reads the form that a provider posts. Undefined if it has more fields than any provider posts: signatures cover the sorted fields, so that a
 * stranger could have the server sort a hundred thousand.
 */
export function readCallbackForm(body: Buffer): URLSearchParams | undefined {
  const text = body.toString("utf8");
  return text.split("&", maxFields + 1).length > maxFields ? undefined : new URLSearchParams(text);
}
