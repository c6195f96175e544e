import { expect, test } from "vitest";
import { type Build, productionBuild } from "../revocation/simulation/build.ts";
import { everyMutant, type Mutant } from "../revocation/simulation/mutants.ts";
import { loadMutant } from "../revocation/simulation/mutate.ts";
import { run } from "../revocation/simulation/run.ts";

const maxRuns = 20_000;

test.each(everyMutant)("the simulation notices when $name", { timeout: 120_000 }, async (mutant) => {
  const build = { ...productionBuild, ...(await changesOf(mutant)) };
  for (let seed = 1; seed <= maxRuns; seed += 1) {
    const { violation } = await run(seed, build);
    if (violation !== undefined) {
      return;
    }
  }
  expect.fail(`nothing was noticed in ${maxRuns} interleavings`);
});

async function changesOf(mutant: Mutant): Promise<Partial<Build>> {
  return "build" in mutant ? mutant.build : loadMutant(mutant.file, mutant.edits);
}
