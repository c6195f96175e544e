import { beforeEach, describe, expect, test } from "vitest";
import { LoadShedder, type ShedOrder } from "../../src/server/load-shedder.ts";

/** What a call takes of a core, and what a refusal takes, in milliseconds. */
const lookupMs = 0.25;
const databaseCallMs = 1;
const refusalMs = 0.03;

/** An event loop that serves, turn by turn, what arrived during the turn before, on a clock of its own. */
class Loop {
  nowMs = 0;
  readonly events: string[] = [];
  readonly database = {
    count: 0,
    oldestMs: 0,
    standingMs: 0,
    takeStandingMs() {
      return this.standingMs;
    },
  };
  readonly shedder = new LoadShedder({
    monotonicMs: () => this.nowMs,
    logger: { info: (event) => this.events.push(event), warn: (event) => this.events.push(event) },
    database: this.database,
  });
  #dueMs = 50;
  #turnMs = 1;
  served = { first: 0, second: 0, never: 0 };
  refused = { first: 0, second: 0 };

  /** Serves this much of what a core can: 60 % lookups, 20 % starts and 20 % checks by what they take. */
  run(load: number, seconds: number): void {
    const endMs = this.nowMs + seconds * 1_000;
    let waitingMs = 0;
    while (this.nowMs < endMs) {
      const startMs = this.nowMs;
      this.#tick();
      waitingMs += this.#turnMs * load;
      // Ten milliseconds of work: 24 lookups, 2 starts, 2 checks.
      for (; waitingMs >= 10; waitingMs -= 10) {
        for (let half = 0; half < 2; half += 1) {
          for (let index = 0; index < 12; index += 1) {
            this.#call("first", lookupMs);
          }
          this.#call("second", databaseCallMs);
          this.#call(undefined, databaseCallMs);
        }
      }
      this.nowMs = Math.max(this.nowMs, startMs + 1);
      this.#turnMs = this.nowMs - startMs;
    }
  }

  /** Nothing happens for a while, as in a garbage collection; what arrives waits. */
  pause(ms: number): void {
    this.nowMs += ms;
    this.#turnMs += ms;
  }

  resetCounts(): void {
    this.served = { first: 0, second: 0, never: 0 };
    this.refused = { first: 0, second: 0 };
  }

  #tick(): void {
    if (this.nowMs >= this.#dueMs) {
      this.shedder.tick();
      this.#dueMs = this.nowMs + (this.shedder.isActive ? 10 : 50);
    }
  }

  #call(order: ShedOrder | undefined, ms: number): void {
    this.shedder.arrived();
    if (order !== undefined && this.shedder.sheds(order)) {
      this.refused[order] += 1;
      this.nowMs += refusalMs;
    } else {
      this.served[order ?? "never"] += 1;
      this.nowMs += ms;
    }
  }
}

let loop: Loop;
beforeEach(() => {
  loop = new Loop();
});

describe("the event loop", () => {
  test.each([0.5, 0.8, 0.95])("at %f of the capacity nothing is refused", (load) => {
    loop.run(load, 60);
    expect(loop.refused).toEqual({ first: 0, second: 0 });
    expect(loop.events).toEqual([]);
  });

  test("calls of the first order are refused before any of the second", () => {
    loop.run(1.5, 60);
    expect(loop.refused.first).toBeGreaterThan(0);
    expect(loop.refused.second).toBe(0);
  });

  test("at three times the capacity all calls of the first order are refused, and some of the second", () => {
    loop.run(3, 10);
    loop.resetCounts();
    loop.run(3, 60);
    expect(loop.served.first).toBe(0);
    expect(loop.refused.second).toBeGreaterThan(0);
    expect(loop.served.never).toBeGreaterThan(0);
  });

  test.each([
    { load: 1.2, atLeast: 0.9 },
    { load: 1.5, atLeast: 0.85 },
    { load: 2, atLeast: 0.8 },
    { load: 3, atLeast: 0.7 },
  ])("at $load of the capacity, $atLeast of it goes into calls that are served", ({ load, atLeast }) => {
    loop.run(load, 10);
    loop.resetCounts();
    const startMs = loop.nowMs;
    loop.run(load, 60);
    const servedMs = loop.served.first * lookupMs + (loop.served.second + loop.served.never) * databaseCallMs;
    expect(servedMs / (loop.nowMs - startMs)).toBeGreaterThan(atLeast);
  });

  test("the turns of the event loop stay short, however long the overload lasts", () => {
    loop.run(2, 10);
    let longestMs = 0;
    for (let slice = 0; slice < 200; slice += 1) {
      const beforeMs = loop.nowMs;
      loop.run(2, 0.001);
      longestMs = Math.max(longestMs, loop.nowMs - beforeMs);
    }
    expect(longestMs).toBeLessThan(400);
  });

  test.each([300, 1_000, 3_000])("a pause of %i ms is no overload, whatever has to be worked off after it", (ms) => {
    loop.run(0.8, 5);
    loop.pause(ms);
    loop.run(0.8, 30);
    expect(loop.refused).toEqual({ first: 0, second: 0 });
  });

  test("few requests that wait are no overload, however slow the machine is", () => {
    for (let turn = 0; turn < 100; turn += 1) {
      for (let request = 0; request < 31; request += 1) {
        loop.shedder.arrived();
      }
      loop.pause(1_000);
      loop.shedder.tick();
    }
    expect(loop.shedder.isActive).toBe(false);
  });

  test("an overload is two lines in the log: when it begins, and when nothing was refused for some time", () => {
    loop.run(2, 30);
    expect(loop.events).toEqual(["overload_began"]);
    loop.run(0.8, 10);
    expect(loop.events).toEqual(["overload_began", "overload_ended"]);
    loop.resetCounts();
    loop.run(0.8, 10);
    expect(loop.refused).toEqual({ first: 0, second: 0 });
  });
});

describe("the database", () => {
  const wait = (ms: number, seconds: number) => {
    for (const endMs = loop.nowMs + seconds * 1_000; loop.nowMs < endMs; ) {
      loop.database.standingMs = ms;
      loop.database.oldestMs = ms;
      loop.database.count = ms === 0 ? 0 : 100;
      loop.run(0.5, 0.05);
    }
  };

  test("that is slow for a second lets nothing be refused", () => {
    wait(900, 1);
    wait(0, 5);
    expect(loop.refused).toEqual({ first: 0, second: 0 });
  });

  test("that calls wait for longer and longer has calls of the second order refused, and none of the first", () => {
    wait(500, 5);
    expect(loop.refused.second).toBeGreaterThan(0);
    expect(loop.refused.first).toBe(0);
  });

  test("that calls wait for no more is let be after two seconds", () => {
    wait(500, 5);
    wait(0, 3);
    expect(loop.events).toEqual(["overload_began", "overload_ended"]);
  });
});
