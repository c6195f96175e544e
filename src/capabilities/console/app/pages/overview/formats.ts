const counts = new Intl.NumberFormat();

export function formatCount(count: number | undefined): string {
  return counts.format(count ?? 0);
}

const durationUnits = [
  [60_000, "minute"],
  [1_000, "second"],
  [1, "millisecond"],
] as const;

/** "240 ms", "1.2 sec", "3 min". */
export function formatDuration(ms: number | undefined): string {
  if (ms === undefined) {
    return "–";
  }
  const [size, unit] = durationUnits.find(([length]) => ms >= length) ?? ([1, "millisecond"] as const);
  return new Intl.NumberFormat(undefined, { style: "unit", unit, maximumFractionDigits: 1 }).format(ms / size);
}
