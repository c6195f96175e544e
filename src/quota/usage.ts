/** What all servers together have been charged, as one take saw it. Times are of the server's monotonic clock. */
export interface Usage {
  readonly used: number;
  /** When there is room for one request. */
  readonly freeAtMs: number;
  /** When nothing is charged any more, if nothing more is sent. */
  readonly emptyAtMs: number;
}

/**
 * Reads the buckets that a take returned. What lies in bucket `i` (counted from 1) stops counting `i` seconds after the
 * beginning of the take's second, so `i` seconds after the take at the latest.
 */
export function describeUsage(counts: readonly number[], limitPerMinute: number, takenAtMs: number): Usage {
  const used = counts.reduce((sum, count) => sum + count, 0);
  const excess = used + 1 - limitPerMinute;
  let freed = 0;
  const freeingIndex = counts.findIndex((count) => {
    freed += count;
    return freed >= excess;
  });
  return {
    used,
    freeAtMs: excess <= 0 ? takenAtMs : takenAtMs + (freeingIndex + 1) * 1_000,
    emptyAtMs: takenAtMs + (counts.findLastIndex((count) => count > 0) + 1) * 1_000,
  };
}
