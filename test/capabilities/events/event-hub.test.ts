import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Mode } from "../../../src/access/caller.ts";
import { EventHub, type Follower, type PlacedEvent } from "../../../src/capabilities/events/event-hub.ts";
import { captureLog } from "../../support/log-capture.ts";

/** A log in memory. Its reads can be held up and fail; it counts them. */
class FakeLog {
  readonly events: PlacedEvent[] = [];
  reads = 0;
  isFailing = false;
  held: Promise<void> | undefined;
  /** Waited for after what is read is decided. */
  delay: () => Promise<void> = () => Promise.resolve();
  #listeners = new Set<(lastPosition: number) => void>();

  write(workspaceId: string, mode: Mode = "live", gap = 1): number {
    const position = (this.events.at(-1)?.position ?? 0) + gap;
    this.events.push({ position, workspaceId, mode });
    return position;
  }

  notify(): void {
    for (const listener of this.#listeners) listener(this.events.at(-1)?.position ?? 0);
  }

  onNumbered(listener: (lastPosition: number) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  async readAfter(position: number, limit: number): Promise<PlacedEvent[]> {
    this.reads += 1;
    const found = this.events.filter((event) => event.position > position).slice(0, limit);
    await this.held;
    await this.delay();
    if (this.isFailing) throw new Error("the database is away");
    return found;
  }

  async lastPosition(): Promise<number> {
    const last = this.events.at(-1)?.position ?? 0;
    await this.delay();
    if (this.isFailing) throw new Error("the database is away");
    return last;
  }
}

function openHub({ windowSize = 10, windowMs = 1_000 } = {}) {
  const log = new FakeLog();
  const logged = captureLog();
  let nowMs = 0;
  let shown = 0;
  const broken = new Set<number>();
  const hub = new EventHub<PlacedEvent, string>({
    log,
    show: async (events) => {
      shown += 1;
      await log.delay();
      if (events.some(({ position }) => broken.has(position))) throw new Error("cannot be shown");
      return events.map(({ position }) => `event ${position}`);
    },
    clock: { monotonicMs: () => nowMs },
    logger: logged.logger,
    windowSize,
    windowMs,
    retryMs: 1,
  });
  return {
    hub,
    log,
    logged,
    broken,
    shown: () => shown,
    advance: (ms: number) => {
      nowMs += ms;
    },
  };
}

const { signal: never } = new AbortController();

/** Reads until there is nothing more for now. What was missed is read from the log, as a reader does. */
function readOn(log: FakeLog, follower: Follower<PlacedEvent, string>, from: number, workspaceId: string) {
  const seen: number[] = [];
  let missed = 0;
  for (let position = from; ; ) {
    const found = follower.next(position);
    if (found === undefined) {
      return { seen, missed, position };
    }
    if (found === "missed") {
      missed += 1;
      const page = log.events.filter(
        (event) => event.workspaceId === workspaceId && event.position > position && event.position <= follower.tail,
      );
      seen.push(...page.map((event) => event.position));
      position = follower.tail;
    } else {
      seen.push(found.event.position);
      position = found.event.position;
    }
  }
}

const turn = () => new Promise<void>((resolve) => setImmediate(resolve));

/** Lets everything that can go on do so. */
const settle = async () => {
  for (let turns = 0; turns < 3; turns += 1) await turn();
};

interface Reader {
  readonly of: string;
  hasLeft: boolean;
  follower?: Follower<PlacedEvent, string>;
  from: number;
  position: number;
  readonly seen: number[];
}

/** A hub with readers, moved by one step at a time. `delays` are the turns that each read of the log takes. */
class Simulation {
  readonly #opened = openHub({ windowSize: 4, windowMs: 100 });
  readonly #readers = new Map<number, Reader>();
  readonly #coming: Promise<void>[] = [];

  constructor(delays: Iterator<number>) {
    this.#opened.log.delay = async () => {
      for (let turns = delays.next().value ?? 0; turns > 0; turns -= 1) await turn();
    };
  }

  write({ of }: Step): void {
    const { log } = this.#opened;
    log.write(of, "live", 1 + (log.events.length % 2));
  }

  notify(): void {
    this.#opened.log.notify();
  }

  turn(): Promise<void> {
    return turn();
  }

  later(): void {
    this.#opened.advance(60);
  }

  fail(): void {
    this.#opened.log.isFailing = !this.#opened.log.isFailing;
  }

  come({ who, of }: Step): void {
    if (!this.#readers.has(who)) {
      const reader: Reader = { of, hasLeft: false, from: 0, position: 0, seen: [] };
      this.#readers.set(who, reader);
      this.#coming.push(this.#follow(reader));
    }
  }

  leave({ who }: Step): void {
    const reader = this.#readers.get(who);
    if (reader !== undefined) {
      reader.hasLeft = true;
      reader.follower?.[Symbol.dispose]();
      this.#readers.delete(who);
    }
  }

  read({ who }: Step): void {
    const reader = this.#readers.get(who);
    if (reader?.follower !== undefined) {
      const { seen, position } = readOn(this.#opened.log, reader.follower, reader.position, reader.of);
      reader.seen.push(...seen);
      reader.position = position;
    }
  }

  /** The readers that follow, with what they have seen and what there was to see, once all is read. */
  async outcome(): Promise<{ seen: number[]; expected: number[] }[]> {
    const { hub, log } = this.#opened;
    log.isFailing = false;
    await Promise.all(this.#coming);
    log.notify();
    const last = log.events.at(-1)?.position ?? 0;
    const following = [...this.#readers].filter(([, { follower }]) => follower !== undefined);
    while (following.some(([, { follower }]) => (follower?.tail ?? last) < last)) await turn();
    const outcome = following.map(([who, reader]) => {
      this.read({ who, of: reader.of });
      const own = log.events.filter(({ workspaceId }) => workspaceId === reader.of);
      const expected = own.map(({ position }) => position).filter((position) => position > reader.from);
      return { seen: reader.seen, expected };
    });
    hub.close();
    return outcome;
  }

  async #follow(reader: Reader): Promise<void> {
    const follower = await this.#opened.hub.follow(reader.of, "live", never).catch(() => undefined);
    if (reader.hasLeft) {
      follower?.[Symbol.dispose]();
    } else if (follower !== undefined) {
      Object.assign(reader, { follower, from: follower.tail, position: follower.tail });
    }
  }
}

interface Step {
  readonly who: number;
  readonly of: string;
}

describe("the hub of events", () => {
  test("reads and shows events once for all readers, and nothing while nobody follows", async () => {
    const { hub, log, shown } = openHub();
    log.write("a");
    log.notify();
    expect(log.reads).toBe(0);
    const followers = await Promise.all(Array.from({ length: 100 }, () => hub.follow("a", "live", never)));
    log.write("a");
    log.write("b");
    log.write("a");
    log.notify();
    await settle();
    expect([log.reads, shown()]).toEqual([1, 1]);
    for (const follower of followers) {
      expect(readOn(log, follower, 1, "a")).toEqual({ seen: [2, 4], missed: 0, position: 4 });
      follower[Symbol.dispose]();
    }
    expect(hub.followers).toBe(0);
    log.write("a");
    log.notify();
    expect(log.reads).toBe(1);
  });

  test("readers get the events of their own workspace and mode", async () => {
    const { hub, log } = openHub();
    const live = await hub.follow("a", "live", never);
    const sandbox = await hub.follow("a", "test", never);
    log.write("a", "test");
    log.write("a", "live");
    log.notify();
    await settle();
    expect(live.next(0)?.valueOf()).toMatchObject({ event: { position: 2, mode: "live" }, shown: "event 2" });
    expect(sandbox.next(0)?.valueOf()).toMatchObject({ event: { position: 1, mode: "test" } });
  });

  test("a reader is woken by an event, by its signal, by the time and when the hub closes", async () => {
    const { hub, log } = openHub();
    const leaving = new AbortController();
    const follower = await hub.follow("a", "live", leaving.signal);
    const other = await hub.follow("b", "live", never);
    let isOtherWoken = false;
    void other.changed(60_000).then(() => {
      isOtherWoken = true;
    });
    const woken = follower.changed(60_000);
    log.write("a");
    log.notify();
    await woken;
    expect(isOtherWoken).toBe(false);
    await follower.changed(1);
    const aborted = follower.changed(60_000);
    leaving.abort();
    await aborted;
    await follower.changed(60_000);
    hub.close();
    await settle();
    expect([isOtherWoken, hub.isClosed]).toEqual([true, true]);
  });

  test("events of more than the window, and older than it, are missed, and no others", async () => {
    const { hub, log, advance } = openHub({ windowSize: 3, windowMs: 1_000 });
    const follower = await hub.follow("a", "live", never);
    for (let count = 0; count < 5; count += 1) {
      log.write("a");
      log.notify();
      await settle();
    }
    expect(follower.next(0)).toBe("missed");
    expect(follower.next(1)).toBe("missed");
    expect(follower.next(2)).toMatchObject({ event: { position: 3 } });
    advance(1_001);
    expect(follower.next(2)).toBe("missed");
    expect(follower.next(5)).toBeUndefined();
    log.write("a");
    log.notify();
    await settle();
    expect(follower.next(5)).toMatchObject({ event: { position: 6 } });
  });

  test("events of others push out nothing that a quiet reader has seen", async () => {
    const { hub, log } = openHub({ windowSize: 3 });
    const quiet = await hub.follow("quiet", "live", never);
    const busy = await hub.follow("busy", "live", never);
    log.write("quiet");
    for (let count = 0; count < 10; count += 1) {
      log.write("busy");
      log.notify();
      await settle();
    }
    expect(quiet.next(1)).toBeUndefined();
    expect(quiet.next(0)).toBe("missed");
    expect(busy.next(busy.tail - 1)).toMatchObject({ event: { position: 11 } });
  });

  test("after a long outage, what does not fit the window is not read by the hub", async () => {
    const { hub, log } = openHub({ windowSize: 3 });
    const follower = await hub.follow("a", "live", never);
    for (let count = 0; count < 1_000; count += 1) log.write("a");
    const woken = follower.changed(60_000);
    log.notify();
    await woken;
    expect(log.reads).toBe(0);
    expect(readOn(log, follower, 0, "a")).toMatchObject({ missed: 1, position: 1_000 });
    log.write("a");
    log.notify();
    await settle();
    expect(readOn(log, follower, 1_000, "a")).toEqual({ seen: [1_001], missed: 0, position: 1_001 });
  });

  test("who comes while events are being read misses none of them", async () => {
    const { hub, log } = openHub();
    await hub.follow("a", "live", never);
    const held = Promise.withResolvers<void>();
    log.held = held.promise;
    log.write("a");
    log.write("b");
    log.notify();
    await settle();
    const [ofA, ofB] = await Promise.all([hub.follow("a", "live", never), hub.follow("b", "live", never)]);
    const begin = ofB.tail;
    held.resolve();
    await settle();
    expect(readOn(log, ofA, begin, "a").seen).toEqual([1]);
    expect(readOn(log, ofB, begin, "b").seen).toEqual([2]);
  });

  test("a database that fails is asked again, nothing is lost, and it is logged once", async () => {
    const { hub, log, logged } = openHub();
    const follower = await hub.follow("a", "live", never);
    log.isFailing = true;
    log.write("a");
    log.notify();
    while (log.reads < 5) await settle();
    expect(follower.next(0)).toBeUndefined();
    const woken = follower.changed(60_000);
    log.isFailing = false;
    await woken;
    expect(readOn(log, follower, 0, "a")).toEqual({ seen: [1], missed: 0, position: 1 });
    await settle();
    expect(logged.lines.map((line) => JSON.parse(line).event)).toEqual([
      "event_streams_stalled",
      "event_streams_resumed",
    ]);
  });

  test("nobody follows if the database fails at the first, and the next one tries again", async () => {
    const { hub, log } = openHub();
    log.isFailing = true;
    await expect(hub.follow("a", "live", never)).rejects.toThrow("away");
    expect(hub.followers).toBe(0);
    log.isFailing = false;
    log.write("a");
    const follower = await hub.follow("a", "live", never);
    expect([follower.tail, hub.followers]).toEqual([1, 1]);
  });

  test("an event that cannot be shown holds up no other", async () => {
    const { hub, log, broken } = openHub();
    const poisoned = await hub.follow("a", "live", never);
    const other = await hub.follow("b", "live", never);
    broken.add(log.write("a"));
    log.write("b");
    log.notify();
    while (other.tail < 2) await settle();
    expect(poisoned.next(0)).toBe("missed");
    expect(readOn(log, other, 0, "b").seen).toEqual([2]);
    log.write("b");
    log.notify();
    await settle();
    expect(other.next(2)).toMatchObject({ event: { position: 3 } });
  });

  test("whatever comes in whatever order, every reader sees exactly its events, in order", async () => {
    const weights = { write: 6, notify: 5, turn: 6, read: 2, come: 3, leave: 2, fail: 1, later: 1 } as const;
    const kinds = ["write", "notify", "turn", "read", "come", "leave", "fail", "later"] as const;
    const step = fc.record({
      kind: fc.oneof(...kinds.map((kind) => ({ weight: weights[kind], arbitrary: fc.constant(kind) }))),
      who: fc.nat(3),
      of: fc.constantFrom("a", "b", "c"),
    });
    await fc.assert(
      fc.asyncProperty(
        fc.array(step, { minLength: 20, maxLength: 120 }),
        fc.infiniteStream(fc.nat(2)),
        async (steps, delays) => {
          const simulation = new Simulation(delays);
          for (const each of steps) {
            await simulation[each.kind](each);
          }
          for (const { seen, expected } of await simulation.outcome()) {
            expect(seen).toEqual(expected);
          }
        },
      ),
      { numRuns: 500 },
    );
  });
});
