/** Random histories of reserves, in simulated time: whatever happens, money is neither lost nor kept from calls, and no call waits for ever. */
import { expect, test, vi } from "vitest";
import { fuzzRuns } from "../../support/fuzz-runs.ts";
import { History } from "./model-history.ts";

const histories = fuzzRuns({ short: 40, long: 5_000 });
/** Among the first are histories in which reserves were once forgotten: about one in fifty. */
const firstSeed = 41;

async function faultsOf(seed: number): Promise<readonly string[]> {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "setInterval", "clearInterval", "performance"] });
  try {
    return await new History(seed).run();
  } finally {
    vi.useRealTimers();
  }
}

test(`${histories} random histories of reserves`, { timeout: 900_000 }, async () => {
  for (let seed = firstSeed; seed < firstSeed + histories; seed += 1) {
    expect({ seed, faults: await faultsOf(seed) }).toEqual({ seed, faults: [] });
  }
});
