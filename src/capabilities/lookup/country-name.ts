const names = new Intl.DisplayNames(["en"], { type: "region", fallback: "none" });

/** The English name of a region, or null for one that has none (`001`, the international networks). */
export function countryName(code: string): string | null {
  return /^[A-Z]{2}$/.test(code) ? (names.of(code) ?? null) : null;
}
