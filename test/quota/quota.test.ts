import { describe, expect, test } from "vitest";
import { TokenBatch } from "../../src/quota/token-batch.ts";
import {
  admittedAt,
  mostInAMinute,
  type Outcome,
  randomFrom,
  refusals,
  Simulation,
  type SimulationOptions,
  sendAll,
} from "./quota-simulation.ts";

function simulate(options: Partial<SimulationOptions> = {}): Simulation {
  const random = options.random ?? randomFrom(1);
  return new Simulation({ servers: 3, random, delayMs: () => 0.2 + random() * 2, ...options });
}

function evenly(count: number, overMs: number, options: { from?: number; server?: (index: number) => number } = {}) {
  return Array.from({ length: count }, (_, index) => ({
    atMs: (options.from ?? 0) + (index * overMs) / count,
    server: options.server?.(index) ?? index,
  }));
}

describe("never more than the limit in any 60 seconds", () => {
  test("whatever the load, the delays, the losses and the limit", { timeout: 120_000 }, async () => {
    for (let seed = 1; seed <= 400; seed += 1) {
      const random = randomFrom(seed);
      const limit = Math.ceil(10 ** (random() * 3));
      const delay = [1, 30, 400, 1_500][Math.floor(random() * 4)] ?? 1;
      const simulation = simulate({
        random,
        servers: 1 + Math.floor(random() * 5),
        delayMs: () => random() ** 3 * delay,
        lossRate: random() < 0.5 ? 0 : 0.05,
      });
      const outcomes = await sendAll(simulation, limit, randomLoad(random, limit));
      expect(mostInAMinute(admittedAt(outcomes)), `seed ${seed}, limit ${limit}`).toBeLessThanOrEqual(limit);
    }
  });

  test("a limit used up at 0.95 s has nothing at 60.01 s, and all of it again at 62 s", async () => {
    const simulation = simulate({ startMs: 1_795_000_000_000, delayMs: () => 0.1 });
    const outcomes = await sendAll(simulation, 1_000, [
      ...evenly(1_000, 20, { from: 950 }),
      ...evenly(30, 10, { from: 60_010 }),
      ...evenly(1_000, 20, { from: 62_000 }),
    ]);
    const moments = admittedAt(outcomes);
    expect(moments.filter((ms) => ms < 1_000)).toHaveLength(1_000);
    expect(moments.filter((ms) => ms > 60_000 && ms < 60_900)).toHaveLength(0);
    expect(moments.filter((ms) => ms > 60_950)).toHaveLength(1_000);
  });

  test("a batch of low use that is spent in its tenth second still counts 60 seconds later", async () => {
    const simulation = simulate({ servers: 1, delayMs: () => 0.1 });
    const slow = evenly(60, 60_000);
    // A long batch taken at 60 s may be used until 70 s; the limit is then used up at once, at 69.9 s.
    const outcomes = await sendAll(simulation, 1_000, [
      ...slow,
      ...evenly(2_000, 50, { from: 69_900 }),
      ...evenly(2_000, 9_000, { from: 122_000 }),
    ]);
    expect(mostInAMinute(admittedAt(outcomes))).toBeLessThanOrEqual(1_000);
    expect(admittedAt(outcomes).filter((ms) => ms < 71_000).length).toBeGreaterThan(990);
  });

  test("a machine that was suspended does not use what it held before", () => {
    const sentAt = { monotonicMs: 5_000, wallMs: 1_795_000_000_100 };
    const grant = { tokens: 2, chargedSecond: 1_795_000_009, takenAtMs: 1_795_000_000_200, counts: [] };
    const batch = new TokenBatch(grant, sentAt);
    expect(batch.spend({ monotonicMs: 5_100, wallMs: 1_795_000_000_200 })).toBe(true);
    // The monotonic clock stood still for half an hour; then the other one was set back.
    expect(batch.spend({ monotonicMs: 5_200, wallMs: 1_795_001_800_000 })).toBe(false);
    expect(batch.spend({ monotonicMs: 15_000, wallMs: 1_795_000_000_200 })).toBe(false);
    expect(batch.leftover).toEqual({ tokens: 1, chargedSecond: 1_795_000_009 });
  });
});

describe("no more refusals than needed", () => {
  test("180 a minute spread over 3 servers at a limit of 1,000: none refused", async () => {
    const outcomes = await sendAll(simulate(), 1_000, evenly(900, 300_000));
    expect(refusals(outcomes)).toBe(0);
  });

  test("3 servers, 3,000 requests in 20 s at a limit of 1,000: at most 1,000 admitted, at least 900", async () => {
    for (let seed = 1; seed <= 5; seed += 1) {
      const random = randomFrom(seed);
      const outcomes = await sendAll(simulate({ random, delayMs: () => random() * 20 }), 1_000, evenly(3_000, 20_000));
      const admitted = admittedAt(outcomes).length;
      expect(admitted, `seed ${seed}`).toBeLessThanOrEqual(1_000);
      expect(admitted, `seed ${seed}`).toBeGreaterThanOrEqual(900);
    }
  });

  test("a steady load of 80 % of the limit is never refused, at any size and on any number of servers", async () => {
    for (const [limit, servers] of [
      [60, 1],
      [60, 4],
      [1_000, 1],
      [1_000, 10],
      [5_000, 3],
    ] as const) {
      const random = randomFrom(limit + servers);
      const requests = Array.from({ length: limit * 0.8 * 3 }, (_, index) => ({
        atMs: (index * 60_000) / (limit * 0.8),
        server: Math.floor(random() * servers),
      }));
      const outcomes = await sendAll(simulate({ random, servers }), limit, requests);
      expect(refusals(outcomes), `limit ${limit}, ${servers} servers`).toBe(0);
    }
  });

  test("half of the limit at once, every minute, is never refused", async () => {
    const bursts = [0, 61_000, 122_000].flatMap((from) => evenly(500, 30, { from }));
    expect(refusals(await sendAll(simulate(), 1_000, bursts))).toBe(0);
  });

  test("a database that takes two seconds to answer still admits", async () => {
    const simulation = simulate({ servers: 1, delayMs: () => 1_000 });
    const outcomes = await sendAll(simulation, 1_000, evenly(20, 20_000));
    expect(admittedAt(outcomes)).toHaveLength(20);
  });
});

describe("few requests to the database", () => {
  test("a busy server asks about once a second", async () => {
    const simulation = simulate({ servers: 1 });
    await sendAll(simulation, 20_000, evenly(4_000, 20_000));
    expect(simulation.reservations.length).toBeLessThan(70);
  });

  test("one request a second is counted ten at a time", async () => {
    const simulation = simulate({ servers: 1 });
    await sendAll(simulation, 1_000, evenly(120, 120_000));
    expect(simulation.reservations.length).toBeLessThan(25);
  });

  test("a flood that is refused costs one request a second and server", async () => {
    const simulation = simulate({ servers: 1 });
    const before = await sendAll(simulation, 100, evenly(100, 500));
    expect(admittedAt(before)).toHaveLength(100);
    const reservationsBefore = simulation.reservations.length;
    const outcomes = await sendAll(simulation, 100, evenly(2_000, 10_000, { from: 1_000 }));
    expect(admittedAt(outcomes)).toHaveLength(0);
    expect(simulation.reservations.length - reservationsBefore).toBeLessThanOrEqual(11);
  });
});

test("a subject that nobody uses is forgotten", async () => {
  for (const [lastAtMs, isKnown] of [
    [10_300, true],
    [60_000, false],
  ] as const) {
    const simulation = simulate({ servers: 1 });
    await sendAll(simulation, 1_000, [...evenly(15, 1_500), { atMs: lastAtMs, server: 0 }]);
    // A subject that is known still has a part of its last batch to return.
    expect(simulation.reservations.at(-1)?.leftover !== undefined).toBe(isKnown);
  }
});

describe("what the response says", () => {
  test("remaining goes down by one a request; a refusal names the second at which there is room again", async () => {
    const simulation = simulate({ servers: 1, delayMs: () => 0.1 });
    const outcomes = await sendAll(simulation, 10, [
      ...evenly(10, 5_000, { from: 100 }),
      { atMs: 10_100, server: 0 },
      { atMs: 61_050, server: 0 },
    ]);
    expect(remaining(outcomes.slice(0, 10))).toEqual([9, 8, 7, 6, 5, 4, 3, 2, 1, 0]);
    expect(outcomes[10]?.result).toEqual({
      admitted: false,
      limit: 10,
      remaining: 0,
      resetSeconds: 55,
      retryAfterSeconds: 51,
    });
    expect(outcomes[11]?.result).toMatchObject({ admitted: true });
  });

  test("Retry-After holds: a request sent that much later is admitted", async () => {
    for (let seed = 1; seed <= 20; seed += 1) {
      const random = randomFrom(seed);
      const simulation = simulate({ random, servers: 1 });
      const outcomes = await sendAll(simulation, 20, evenly(60, 30_000 * random()));
      const refused = outcomes.find(({ result }) => result !== "failed" && !result.admitted);
      if (refused === undefined || refused.result === "failed") {
        throw new Error("nothing was refused");
      }
      const retryAtMs = refused.atMs + (refused.result.retryAfterSeconds ?? 0) * 1_000;
      const [retried] = await sendAll(simulation, 20, [{ atMs: Math.max(retryAtMs, simulation.nowMs), server: 0 }]);
      expect(retried?.result, `seed ${seed}`).toMatchObject({ admitted: true });
    }
  });

  test("if the database cannot be reached, the request fails, and the next one asks it again", async () => {
    let lossRate = 1;
    const random = randomFrom(1);
    const simulation = new Simulation({
      servers: 1,
      random,
      delayMs: () => 1,
      get lossRate() {
        return lossRate;
      },
    });
    const [failed] = await sendAll(simulation, 10, [{ atMs: 0, server: 0 }]);
    expect(failed?.result).toBe("failed");
    lossRate = 0;
    const [passed] = await sendAll(simulation, 10, [{ atMs: 10, server: 0 }]);
    // The lost answer had been counted.
    expect(passed?.result).toMatchObject({ admitted: true, remaining: 8 });
  });
});

describe("several limits at once", () => {
  const key = { workspaceId: "ws_1", key: "key:1", limitPerMinute: 5 };
  const workspace = { workspaceId: "ws_1", key: "workspace", limitPerMinute: 2 };

  test("a refusal of one leaves the other untouched", async () => {
    const simulation = simulate({ servers: 1 });
    const results: (readonly boolean[])[] = [];
    for (let index = 0; index < 4; index += 1) {
      simulation.at(index * 10, () => {
        void Promise.resolve(simulation.quota(0).admitAll([key, workspace])).then((all) =>
          results.push(all.map((one) => one.admitted)),
        );
      });
    }
    await simulation.run();
    expect(results).toEqual([
      [true, true],
      [true, true],
      [true, false],
      [true, false],
    ]);
    simulation.at(100, () => {
      void simulation
        .quota(0)
        .admit(key)
        .then(({ result }) => expect(result.remaining).toBe(2));
    });
    await simulation.run();
    expect.assertions(2);
  });

  test("subjects do not share their counts", async () => {
    const simulation = simulate({ servers: 1 });
    const admitted: boolean[] = [];
    for (const subject of [
      workspace,
      workspace,
      { ...workspace, workspaceId: "ws_2" },
      { ...workspace, key: "key:2" },
    ]) {
      simulation.at(1, () => {
        void simulation
          .quota(0)
          .admit({ ...subject, limitPerMinute: 1 })
          .then(({ result }) => admitted.push(result.admitted));
      });
    }
    await simulation.run();
    expect(admitted.toSorted()).toEqual([false, true, true, true]);
  });
});

function remaining(outcomes: readonly Outcome[]): number[] {
  return outcomes.map(({ result }) => (result === "failed" ? -1 : result.remaining));
}

/** Phases of silence, of even load and of bursts, for three minutes, mostly above the limit. */
function randomLoad(random: () => number, limit: number): { atMs: number; server: number }[] {
  const requests: { atMs: number; server: number }[] = [];
  for (let atMs = 0; atMs < 180_000 && requests.length < 4_000; ) {
    const kind = random();
    const length = random() * 25_000;
    const count = kind < 0.3 ? 0 : Math.ceil(random() * limit * (kind < 0.6 ? 0.3 : 1));
    for (let index = 0; index < count; index += 1) {
      requests.push({ atMs: atMs + random() * (kind < 0.9 ? length : 5), server: Math.floor(random() * 5) });
    }
    atMs += length;
  }
  return requests;
}
