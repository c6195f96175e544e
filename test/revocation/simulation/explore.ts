import { expect } from "vitest";
import { productionBuild } from "./build.ts";
import { addOutcome, emptyOutcome } from "./outcome.ts";
import { run } from "./run.ts";

/**
 * Runs that many random interleavings of the protocol, each of which follows from its seed alone, and expects that no server
 * answers from before a revocation that was answered.
 */
export async function explore(firstSeed: number, runs: number): Promise<void> {
  const sum = emptyOutcome();
  for (let seed = firstSeed; seed < firstSeed + runs; seed += 1) {
    const outcome = await run(seed, productionBuild);
    addOutcome(sum, outcome);
    if (outcome.violation !== undefined) {
      expect.fail(`seed ${seed}: ${outcome.violation}`);
    }
  }
  console.log(`${runs} interleavings of ${sum.events} events:`, sum);

  // Every revocation ends whose revoker lives.
  expect(sum.unanswered).toBe(0);
  // A run in which nothing can go wrong shows nothing: this is what they are made of.
  expect(sum.fromMemory).toBeGreaterThan(runs);
  expect(sum.withoutLease).toBeGreaterThan(runs);
  expect(sum.repeatedReads).toBeGreaterThan(runs / 50);
  expect(sum.registeredAnew).toBeGreaterThan(runs / 10);
  expect(sum.answered - sum.answeredWithoutHearing).toBeGreaterThan(runs / 3);
  expect(sum.answeredWithoutHearing).toBeGreaterThan(runs / 10);
  expect(sum.repeatedByAnother).toBeGreaterThan(runs / 10);
  expect(sum.sweeps).toBeGreaterThan(runs / 10);
}
