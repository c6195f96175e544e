/** What is wrong with the scopes of a key, by their paths (`scopes[1]`). `known` are those that a key can be given. */
export function scopeProblems(
  scopes: readonly string[],
  known: readonly string[],
  field: string,
): Readonly<Record<string, string>> {
  return Object.fromEntries(
    scopes.flatMap((scope, index) =>
      known.includes(scope) ? [] : [[`${field}[${index}]`, `must be one of: ${known.join(", ")}`]],
    ),
  );
}
