import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { ResourceStack } from "../../src/process/resource-stack.ts";
import { captureLog } from "../support/log-capture.ts";

const never = () => new Promise(() => undefined);

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

test("resources are closed in reverse order, one after the other", async () => {
  const { logger, lines } = captureLog();
  const resources = new ResourceStack(logger);
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

test("one deadline applies to all, unfinished resources are named, and the rest are still closed", async () => {
  const { logger, lines } = captureLog();
  const resources = new ResourceStack(logger);
  const closed: string[] = [];
  resources.add("database", () => closed.push("database"));
  resources.add("messages", never);
  resources.add("channels", () => closed.push("channels"));
  resources.add("requests", never);
  let isClosed = false;
  void resources.close(500).then(() => {
    isClosed = true;
  });
  // All of the time goes to the requests, and the least that anything gets to the messages.
  await vi.advanceTimersByTimeAsync(599);
  expect(isClosed).toBe(false);
  await vi.advanceTimersByTimeAsync(1);
  expect(isClosed).toBe(true);
  expect(closed).toEqual(["channels", "database"]);
  expect(lines).toHaveLength(1);
  expect(JSON.parse(lines[0] ?? "")).toMatchObject({ level: "warn", unfinished: ["requests", "messages"] });
});

test("a resource that left something unfinished is named too", async () => {
  const { logger, lines } = captureLog();
  const resources = new ResourceStack(logger);
  resources.add("messages", async () => false);
  resources.add("requests", async () => true);
  await resources.close(5_000);
  expect(JSON.parse(lines[0] ?? "")).toMatchObject({ unfinished: ["messages"] });
});

test("each resource is told how long it has", async () => {
  const resources = new ResourceStack(captureLog().logger);
  const told: number[] = [];
  resources.add("second", (withinMs) => told.push(withinMs));
  resources.add("first", async (withinMs) => {
    told.push(withinMs);
    await vi.advanceTimersByTimeAsync(1_000);
  });
  await resources.close(5_000);
  expect(told).toEqual([5_000, 4_000]);
});

test("a resource that fails to close does not stop the others", async () => {
  const { logger, lines } = captureLog();
  const resources = new ResourceStack(logger);
  const closed: string[] = [];
  resources.add("database", () => closed.push("database"));
  resources.add("lease", () => {
    throw new Error("no luck");
  });
  await resources.close(5_000);
  expect(closed).toEqual(["database"]);
  expect(lines).toEqual([expect.stringContaining("no luck")]);
});
