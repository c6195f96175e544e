/**
 * Calls `make` on first use, and returns the same from then on. What failed is not kept: after a rejection, as after an exception, the next
 * call tries again. Otherwise a page that was first asked for while no file could be opened would be gone until the server's next start.
 */
export function once<T>(make: () => T): () => T {
  let made: { readonly value: T } | undefined;
  return () => {
    if (made === undefined) {
      made = { value: make() };
      if (made.value instanceof Promise) {
        made.value.catch(() => {
          made = undefined;
        });
      }
    }
    return made.value;
  };
}
