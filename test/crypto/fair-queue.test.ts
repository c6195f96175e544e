/** Work is bounded, and nobody is kept out by how much somebody else asks for. */
import { describe, expect, test } from "vitest";
import { FairQueue, type Turn } from "../../src/crypto/fair-queue.ts";

/** A queue whose works end when the test says so. */
function createQueue(options: { concurrency: number; maxWaiting: number; maxWaitMs?: number }) {
  const queue = new FairQueue({ maxWaitMs: 60_000, busy: () => new Error("busy"), ...options });
  const begun: string[] = [];
  const refused: string[] = [];
  const ends = new Map<string, () => void>();
  return {
    begun,
    refused,
    ask(name: string, turn: Turn) {
      const work = () =>
        new Promise<void>((resolve) => {
          begun.push(name);
          ends.set(name, resolve);
        });
      queue.run(work, turn).catch(() => refused.push(name));
    },
    /** Ends work one by one until none is left, and returns the order in which all of it began. */
    async drain(): Promise<string[]> {
      await settle();
      for (let name = ends.keys().next().value; name !== undefined; name = ends.keys().next().value) {
        ends.get(name)?.();
        ends.delete(name);
        await settle();
      }
      return begun;
    },
  };
}

/** Lets everything happen that is due. */
const settle = () => new Promise<void>((resolve) => setImmediate(resolve));

const many = (count: number) => Array.from({ length: count }, (_, index) => index);

test("a flood from one source delays another source's work by one turn only", async () => {
  const queue = createQueue({ concurrency: 1, maxWaiting: 100 });
  for (const index of many(50)) {
    queue.ask(`flood ${index}`, { source: "flood" });
  }
  queue.ask("mine", { source: "mine" });
  const order = await queue.drain();
  expect(order.indexOf("mine")).toBe(2);
  expect(order).toHaveLength(51);
});

test("work of one source starts in order", async () => {
  const queue = createQueue({ concurrency: 1, maxWaiting: 100 });
  for (const index of many(5)) {
    queue.ask(`a${index}`, { source: "a" });
    queue.ask(`b${index}`, { source: "b" });
  }
  const order = await queue.drain();
  expect(order.filter((name) => name.startsWith("a"))).toEqual(["a0", "a1", "a2", "a3", "a4"]);
  expect(order.filter((name) => name.startsWith("b"))).toEqual(["b0", "b1", "b2", "b3", "b4"]);
});

describe("when the queue is full", () => {
  test("a source with less waiting work is admitted, and the one with the most loses its newest", async () => {
    const queue = createQueue({ concurrency: 1, maxWaiting: 10 });
    for (const index of many(11)) {
      queue.ask(`flood ${index}`, { source: "flood" });
    }
    queue.ask("mine", { source: "mine" });
    await settle();
    expect(queue.refused).toEqual(["flood 10"]);
    expect(await queue.drain()).toContain("mine");
  });

  test("the source with the most waiting work is refused", async () => {
    const queue = createQueue({ concurrency: 1, maxWaiting: 3 });
    for (const index of many(4)) {
      queue.ask(`flood ${index}`, { source: "flood" });
    }
    queue.ask("too much", { source: "flood" });
    await settle();
    expect(queue.refused).toEqual(["too much"]);
  });

  test("the lanes have their own limits", async () => {
    const queue = createQueue({ concurrency: 2, maxWaiting: 3 });
    for (const index of many(10)) {
      queue.ask(`sign-up ${index}`, { lane: "signUp", source: `${index}` });
    }
    for (const index of many(4)) {
      queue.ask(`known ${index}`, { source: `${index}` });
    }
    await settle();
    expect(queue.refused).toEqual(many(6).map((index) => `sign-up ${index + 4}`));
  });
});

test("sign-up leaves one slot free, and still gets its turn", async () => {
  const queue = createQueue({ concurrency: 2, maxWaiting: 100 });
  for (const index of many(10)) {
    queue.ask(`sign-up ${index}`, { lane: "signUp" });
  }
  await settle();
  expect(queue.begun).toEqual(["sign-up 0"]);
  for (const index of many(10)) {
    queue.ask(`known ${index}`, {});
  }
  await settle();
  expect(queue.begun).toEqual(["sign-up 0", "known 0"]);
  const order = await queue.drain();
  expect(order).toHaveLength(20);
  expect(order.slice(0, 8).filter((name) => name.startsWith("sign-up")).length).toBeGreaterThanOrEqual(3);
});

test("any number of strangers delay known sources by one turn only", async () => {
  const queue = createQueue({ concurrency: 2, maxWaiting: 100 });
  for (const index of many(200)) {
    queue.ask(`stranger ${index}`, { lane: "strangers", source: `${index}` });
  }
  queue.ask("known", { source: "home" });
  await settle();
  expect(queue.refused).toHaveLength(98);
  expect((await queue.drain()).indexOf("known")).toBe(2);
});

test("work that has waited too long is refused and never starts", async () => {
  const queue = createQueue({ concurrency: 1, maxWaiting: 10, maxWaitMs: 1 });
  queue.ask("slow", {});
  queue.ask("late", {});
  while (queue.refused.length === 0) {
    await settle();
  }
  expect(queue.refused).toEqual(["late"]);
  expect(await queue.drain()).toEqual(["slow"]);
});
