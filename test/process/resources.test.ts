import { expect, test } from "vitest";
import { Resources } from "../../src/process/resources.ts";
import { captureLog } from "../support/log-capture.ts";

const never = () => new Promise(() => undefined);

test("what was built last is let go of first, each once the one before is gone", async () => {
  const { logger, lines } = captureLog();
  const resources = new Resources(logger);
  const closed: string[] = [];
  for (const name of ["database", "messages", "requests"]) {
    resources.add(name, async () => {
      await Promise.resolve();
      closed.push(name);
    });
  }
  await Promise.all([resources.close(10_000), resources.close(10_000)]);
  expect(closed).toEqual(["requests", "messages", "database"]);
  expect(lines).toEqual([]);
});

test("one deadline holds for all together, what did not finish is named, and the rest is still let go of", async () => {
  const { logger, lines } = captureLog();
  const resources = new Resources(logger);
  const closed: string[] = [];
  resources.add("database", () => closed.push("database"));
  resources.add("messages", never);
  resources.add("channels", () => closed.push("channels"));
  resources.add("requests", never);
  const before = performance.now();
  await resources.close(500);
  expect(performance.now() - before).toBeLessThan(1_500);
  expect(closed).toEqual(["channels", "database"]);
  expect(lines).toHaveLength(1);
  expect(JSON.parse(lines[0] ?? "")).toMatchObject({ level: "warn", unfinished: ["requests", "messages"] });
});

test("what gave up on something to be in time is named too", async () => {
  const { logger, lines } = captureLog();
  const resources = new Resources(logger);
  resources.add("messages", async () => false);
  resources.add("requests", async () => true);
  await resources.close(5_000);
  expect(JSON.parse(lines[0] ?? "")).toMatchObject({ unfinished: ["messages"] });
});

test("each is told how long it has", async () => {
  const resources = new Resources(captureLog().logger);
  const told: number[] = [];
  resources.add("second", (withinMs) => told.push(withinMs));
  resources.add("first", (withinMs) => told.push(withinMs));
  await resources.close(5_000);
  expect(told[0]).toBeGreaterThan(4_900);
  expect(told[1]).toBeLessThanOrEqual(told[0] ?? 0);
});

test("one that fails keeps none of the others", async () => {
  const { logger, lines } = captureLog();
  const resources = new Resources(logger);
  const closed: string[] = [];
  resources.add("database", () => closed.push("database"));
  resources.add("lease", () => {
    throw new Error("no luck");
  });
  await resources.close(5_000);
  expect(closed).toEqual(["database"]);
  expect(lines).toEqual([expect.stringContaining("no luck")]);
});
