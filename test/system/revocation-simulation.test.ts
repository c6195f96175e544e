import { test } from "vitest";
import { explore } from "../revocation/simulation/explore.ts";

/** Any other number explores other runs. */
const firstSeed = Number(process.env.SIMULATION_SEED ?? 1);

test(
  "in 100,000 random interleavings no server answers from before a revocation that was answered",
  {
    timeout: 300_000,
  },
  () => explore(firstSeed, 100_000),
);
