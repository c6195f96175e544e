/** What is under `name` in somebody else's JSON; undefined if it is not an object or has no such field. */
export function field(value: unknown, name: string): unknown {
  return typeof value === "object" && value !== null && Object.hasOwn(value, name)
    ? Reflect.get(value, name)
    : undefined;
}

/** The items of a list in somebody else's JSON; none if it is not a list. */
export function items(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

/** A provider's id of a message; undefined if it is not one that could be kept: printable ASCII, not too long. */
export function messageIdOf(value: unknown): string | undefined {
  return typeof value === "string" && /^[\x21-\x7e]{1,256}$/.test(value) ? value : undefined;
}
