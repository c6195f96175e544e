import { test } from "vitest";
import { explore } from "./simulation/explore.ts";

/** `test/system/revocation-simulation.test.ts` runs a hundred thousand. */
test("in 2,000 random interleavings no server answers from before a revocation that was answered", () =>
  explore(1, 2_000));
