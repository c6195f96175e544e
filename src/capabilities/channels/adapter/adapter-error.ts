/** An error word of the adapter's: letters and underscores only, so that it cannot contain a code or a number. Undefined if it is anything else. */
export function adapterError(value: unknown): string | undefined {
  return typeof value === "string" && /^[a-z_]{1,40}$/.test(value) ? value : undefined;
}
