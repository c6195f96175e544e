import { durationBoundsMs } from "./reports.policy.ts";

/** How long something took, from counts in the ranges of `durationBoundsMs`. */
export interface DurationSummary {
  /** Undefined: nothing was counted. */
  readonly p50Ms: number | undefined;
  readonly p95Ms: number | undefined;
  /** Those at the end that are empty are left out. */
  readonly ranges: readonly DurationRange[];
}

export interface DurationRange {
  /** Undefined: the last one, which has no end. */
  readonly belowMs: number | undefined;
  readonly count: number;
}

/** Adds up counts by range. A list that is shorter than others was written before ranges were added. */
export function summarizeDurations(lists: readonly (readonly number[])[]): DurationSummary {
  const counts = Array.from({ length: durationBoundsMs.length + 1 }, (_, range) =>
    lists.reduce((sum, list) => sum + (list[range] ?? 0), 0),
  );
  return {
    p50Ms: percentileMs(counts, 0.5),
    p95Ms: percentileMs(counts, 0.95),
    ranges: counts.slice(0, counts.findLastIndex((count) => count > 0) + 1).map((count, range) => ({
      belowMs: durationBoundsMs[range],
      count,
    })),
  };
}

/**
 * The duration that the given part of all did not exceed, as if those in a range were spread evenly over it. What is in the last range
 * is taken for its beginning.
 */
function percentileMs(counts: readonly number[], part: number): number | undefined {
  const total = counts.reduce((sum, count) => sum + count, 0);
  if (total === 0) {
    return undefined;
  }
  const rank = part * total;
  let below = 0;
  for (const [range, count] of counts.entries()) {
    if (count > 0 && below + count >= rank) {
      const startMs = durationBoundsMs[range - 1] ?? 0;
      const endMs = durationBoundsMs[range] ?? startMs;
      return Math.round(startMs + ((rank - below) / count) * (endMs - startMs));
    }
    below += count;
  }
  throw new RangeError(`no part of all is ${part}`);
}
