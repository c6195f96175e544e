import { useMemo } from "react";
import { useSearchParams } from "wouter";

/**
 * Filters that live in the address, so that a link shows what was seen. Empty ones are left out of it.
 *
 * ```ts
 * const [filters, setFilters] = useFilters(["status", "channel"]);
 * setFilters({ status: "approved" });
 * ```
 */
export function useFilters<Name extends string>(
  names: readonly Name[],
): readonly [Readonly<Record<Name, string>>, (changes: Partial<Record<Name, string>>) => void] {
  const [params, setParams] = useSearchParams();
  const key = names.join(" ");
  // biome-ignore lint/correctness/useExhaustiveDependencies: the names are compared by what they are
  const filters = useMemo(
    () => Object.fromEntries(names.map((name) => [name, params.get(name) ?? ""])) as Record<Name, string>,
    [params, key],
  );
  const change = (changes: Partial<Record<Name, string>>) =>
    setParams(
      (current) => {
        const next = new URLSearchParams(current);
        for (const [name, value] of Object.entries<string | undefined>(changes)) {
          if (value === undefined || value === "") {
            next.delete(name);
          } else {
            next.set(name, value);
          }
        }
        return next;
      },
      { replace: true },
    );
  return [filters, change];
}
