/** How many requests a workspace may send in any 60 seconds, by its tier. Null: unlimited. */
export const requestsPerMinuteByTier = {
  starter: 1_000,
  builder: 5_000,
  scale: 20_000,
  unlimited: null,
} as const satisfies Record<string, number | null>;

export type Tier = keyof typeof requestsPerMinuteByTier;

/** Every tier, the smallest first. */
export const tiers: readonly Tier[] = ["starter", "builder", "scale", "unlimited"];
