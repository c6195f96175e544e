import { setImmediate } from "node:timers/promises";
import type { Clock } from "../../src/clock.ts";
import { Quota } from "../../src/quota/quota.ts";
import type { QuotaResult } from "../../src/quota/quota-share.ts";
import type { QuotaGrant, QuotaReservation, QuotaStore } from "../../src/quota/quota-store.ts";

/** Random numbers that a seed repeats (mulberry32). */
export function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/** What the statement does, written a second time: by absolute second, without a ring or a shift. */
export class ModelRows {
  readonly #rows = new Map<string, { takenAtMs: number; charged: Map<number, number> }>();

  reserve(request: QuotaReservation, clockMs: number): QuotaGrant {
    const name = `${request.subject.workspaceId} ${request.subject.key}`;
    const known = this.#rows.get(name);
    const row = known ?? { takenAtMs: clockMs, charged: new Map<number, number>() };
    this.#rows.set(name, row);
    if (row.takenAtMs > clockMs + 70_000) {
      const shift = secondOf(clockMs) - secondOf(row.takenAtMs);
      row.charged = new Map([...row.charged].map(([at, count]) => [at + shift, count]));
      row.takenAtMs = clockMs;
    }
    row.takenAtMs = Math.max(row.takenAtMs, clockMs);
    const now = secondOf(row.takenAtMs);
    row.charged = new Map([...row.charged].filter(([at]) => at >= now - 60));
    const { leftover } = request;
    const charged = leftover === undefined ? undefined : row.charged.get(leftover.chargedSecond);
    if (leftover !== undefined && charged !== undefined) {
      row.charged.set(leftover.chargedSecond, Math.max(0, charged - leftover.tokens));
    }
    const used = [...row.charged.values()].reduce((sum, count) => sum + count, 0);
    const free = Math.max(0, request.subject.limitPerMinute - used);
    // The first reservation of all gets nothing in advance.
    const spare = known === undefined ? 0 : Math.min(request.spare, Math.floor(Math.max(0, free - request.needed) / 4));
    const tokens = Math.min(free, request.needed + spare);
    const chargedSecond = secondOf(row.takenAtMs + request.lifeMs);
    row.charged.set(chargedSecond, (row.charged.get(chargedSecond) ?? 0) + tokens);
    const counts = Array.from({ length: 70 }, (_, index) => row.charged.get(now - 60 + index) ?? 0);
    return { tokens, chargedSecond, takenAtMs: row.takenAtMs, counts };
  }
}

function secondOf(ms: number): number {
  return Math.floor(ms / 1_000);
}

export interface SimulationOptions {
  readonly servers: number;
  readonly random: () => number;
  /** How long a request to the database, and its answer, are on their way. */
  readonly delayMs: () => number;
  /** How often an answer of the database never arrives, from 0 to 1. */
  readonly lossRate?: number;
  /** Of the database's clock when the simulation begins, since 1970. */
  readonly startMs?: number;
}

/** Servers that share one database, in virtual time. */
export class Simulation {
  readonly reservations: QuotaReservation[] = [];
  readonly #events: { readonly atMs: number; readonly run: () => void }[] = [];
  readonly #startMs: number;
  readonly #quotas: Quota[];
  #nowMs = 0;

  constructor(options: SimulationOptions) {
    this.#startMs = options.startMs ?? 1_795_000_000_000;
    const rows = new ModelRows();
    this.#quotas = Array.from({ length: options.servers }, () => {
      const bootMs = options.random() * 1e9;
      const speed = 1 + (options.random() - 0.5) * 2e-4;
      const clock: Clock = {
        now: () => new Date(this.#startMs + this.#nowMs),
        monotonicMs: () => bootMs + this.#nowMs * speed,
      };
      const store: QuotaStore = {
        reserve: (request) =>
          new Promise((resolve, reject) => {
            this.reservations.push(request);
            this.at(this.#nowMs + options.delayMs(), () => {
              const grant = rows.reserve(request, this.#startMs + this.#nowMs);
              const isLost = options.random() < (options.lossRate ?? 0);
              this.at(this.#nowMs + options.delayMs(), () =>
                isLost ? reject(new Error("connection lost")) : resolve(grant),
              );
            });
          }),
      };
      return new Quota(store, clock);
    });
  }

  get nowMs(): number {
    return this.#nowMs;
  }

  quota(server: number): Quota {
    const quota = this.#quotas[server % this.#quotas.length];
    if (quota === undefined) {
      throw new RangeError(`there is no server ${server}`);
    }
    return quota;
  }

  at(atMs: number, run: () => void): void {
    // The next event is the last one of the list.
    let low = 0;
    let high = this.#events.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#events[middle]?.atMs ?? 0) > atMs) {
        low = middle + 1;
      } else {
        high = middle;
      }
    }
    this.#events.splice(low, 0, { atMs, run });
  }

  /** Lets everything happen that is due, in order, with what follows from it. */
  async run(): Promise<void> {
    for (let next = this.#events.pop(); next !== undefined; next = this.#events.pop()) {
      this.#nowMs = next.atMs;
      next.run();
      await setImmediate();
    }
  }
}

export interface Outcome {
  readonly atMs: number;
  readonly result: QuotaResult | "failed";
}

/** Sends requests at the given moments, to servers in turn, and collects what became of them, in the order of answers. */
export async function sendAll(
  simulation: Simulation,
  limitPerMinute: number,
  requests: readonly { readonly atMs: number; readonly server: number }[],
): Promise<Outcome[]> {
  const outcomes: Outcome[] = [];
  for (const { atMs, server } of requests) {
    simulation.at(atMs, () => {
      simulation
        .quota(server)
        .admit({ workspaceId: "ws_1", key: "workspace", limitPerMinute })
        .then(
          ({ result }) => outcomes.push({ atMs: simulation.nowMs, result }),
          () => outcomes.push({ atMs: simulation.nowMs, result: "failed" }),
        );
    });
  }
  await simulation.run();
  return outcomes;
}

export function admittedAt(outcomes: readonly Outcome[]): number[] {
  return outcomes.flatMap(({ atMs, result }) => (result !== "failed" && result.admitted ? [atMs] : []));
}

export function refusals(outcomes: readonly Outcome[]): number {
  return outcomes.filter(({ result }) => result === "failed" || !result.admitted).length;
}

/** The most that lie in any half-open 60 seconds. */
export function mostInAMinute(moments: readonly number[]): number {
  const sorted = [...moments].sort((a, b) => a - b);
  let most = 0;
  let first = 0;
  sorted.forEach((moment, index) => {
    while ((sorted[first] ?? moment) <= moment - 60_000) {
      first += 1;
    }
    most = Math.max(most, index - first + 1);
  });
  return most;
}
