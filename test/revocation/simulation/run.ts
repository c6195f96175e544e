import { Random } from "../../support/random.ts";
import type { Build } from "./build.ts";
import { ModelPostgres } from "./model-postgres.ts";
import { emptyOutcome, type Outcome } from "./outcome.ts";
import { SimulatedProcess } from "./process.ts";
import { createServer, leaseMs, type SimulatedServer, subjectsOfKey } from "./server.ts";
import { Wire } from "./wire.ts";
import { type Weather, World } from "./world.ts";

const keys = ["key:a", "key:b"] as const;
const endMs = 40 * leaseMs;

/** Two servers and one revoker or several, from the start, through faults that follow from the seed. */
export async function run(seed: number, build: Build): Promise<Outcome> {
  return new Run(new Random(seed), build).play();
}

class Run {
  readonly #random: Random;
  readonly #world: World;
  readonly #build: Build;
  readonly #database: ModelPostgres;
  readonly #servers: readonly [SimulatedServer, SimulatedServer];
  /** The version of each subject that was last answered to a caller. */
  readonly #answered = new Map<string, number>();
  readonly #outcome: Outcome = emptyOutcome();
  #afterFirstAnswer: (() => void) | undefined;
  #unanswered = 0;
  /** Until when something may happen that a violation could show in. */
  #worthwhileUntilMs = 0;

  constructor(random: Random, build: Build) {
    this.#random = random;
    this.#build = build;
    this.#world = new World(random, chooseWeather(random));
    this.#database = new ModelPostgres(this.#world, build.flaws);
    this.#servers = [
      createServer(this.#world, this.#database, build, "one"),
      createServer(this.#world, this.#database, build, "two"),
    ];
  }

  async play(): Promise<Outcome> {
    const random = this.#random;
    for (const server of this.#servers) {
      const startsAfterMs = random.chance(0.7) ? 0 : random.next() * 1.5 * leaseMs;
      const intervalMs = random.pick([0.25, 0.25, 0.4]) * leaseMs;
      this.#world.after(startsAfterMs, () => server.process.deliver(() => server.renewEvery(intervalMs)));
      this.#requestAfter(startsAfterMs + random.next() * 0.2 * leaseMs, server);
      this.#requestAfter(random.next() * leaseMs, server);
      this.#trouble(server);
    }
    this.#planRevocations();
    this.#outcome.events = await this.#world.run(
      () => this.#world.nowMs < endMs && (this.#unanswered > 0 || this.#world.nowMs < this.#worthwhileUntilMs),
    );
    this.#outcome.unanswered = this.#unanswered;
    for (const { counters, registrations } of this.#servers) {
      this.#outcome.fromMemory += counters.hits;
      this.#outcome.withoutLease += counters.readsWithoutLease;
      this.#outcome.repeatedReads += counters.repeatedReads;
      this.#outcome.registeredAnew += Math.max(0, registrations() - 1);
    }
    return this.#outcome;
  }

  /** What may happen to a server. */
  #trouble(server: SimulatedServer): void {
    const random = this.#random;
    const whenMs = random.next() * 1.5 * leaseMs;
    const ms = random.next() * 2 * leaseMs;
    if (random.chance(0.35)) {
      const how = random.chance(0.5) ? "stopped" : "suspended";
      this.#world.after(whenMs, () => server.process.stopFor(ms, how));
      this.#requestAfter(whenMs + ms, server);
    } else if (random.chance(0.2)) {
      // Not to a machine that is suspended as well: with neither clock to go by, nothing could be promised.
      const byMs = random.between(-3, 3) * leaseMs;
      this.#world.after(random.next() * 2 * leaseMs, () => server.process.setWallClock(byMs));
    }
    if (random.chance(0.15)) {
      this.#world.after(whenMs, () => server.wire.cutFor(ms));
      this.#requestAfter(whenMs + ms, server);
    }
    if (random.chance(0.1)) {
      const stop = () => server.lease.release().catch(() => undefined);
      this.#world.after(whenMs, () => server.process.deliver(stop));
    }
    if (random.chance(0.05)) {
      this.#world.after(whenMs, () => server.process.kill());
    }
  }

  #planRevocations(): void {
    const random = this.#random;
    const firstAfterMs = random.between(0.1, 1) * leaseMs;
    this.#revokeAfter(firstAfterMs, 1);
    if (random.chance(0.5)) {
      this.#world.after(firstAfterMs + random.next() * random.pick([0.2, 1.5]) * leaseMs, () => this.#sweep());
    }
    if (random.chance(0.3)) {
      this.#revokeAfter(firstAfterMs + random.next() * random.pick([0.1, 1]) * leaseMs, 2);
    } else if (random.chance(0.4)) {
      this.#afterFirstAnswer = () => this.#revokeAfter(random.next() * 0.3 * leaseMs, 2);
    }
  }

  /** Somebody revokes, and may die over it; then somebody else does the same again. */
  #revokeAfter(delayMs: number, version: number): void {
    const random = this.#random;
    const subject = random.pick([...keys, "workspace"]);
    const diesAfterMs = random.chance(0.3) ? random.next() * random.pick([0.2, 1.2]) * leaseMs : undefined;
    this.#world.after(delayMs, () => {
      this.#revoke(subject, version, diesAfterMs);
      if (diesAfterMs !== undefined) {
        this.#outcome.repeatedByAnother += 1;
        this.#world.after(diesAfterMs + random.next() * 0.3 * leaseMs, () => this.#revoke(subject, version));
      }
    });
  }

  #revoke(subject: string, version: number, diesAfterMs?: number): void {
    const { process, wire, onCommitted } = this.#revokingProcess();
    if (process.isDead) {
      return;
    }
    const revoker = new this.#build.Revoker({
      store: wire,
      clock: process,
      pause: process.pause,
      patienceMs: 1.1 * leaseMs,
      onCommitted,
      onConfirmed: (_durationMs, unheardServers) => {
        this.#outcome.answeredWithoutHearing += unheardServers > 0 ? 1 : 0;
      },
    });
    const subjects = (isHigher: boolean) => (isHigher || this.#build.onRepetition === "revoke again" ? [subject] : []);
    let isOpen = true;
    const close = () => {
      this.#unanswered -= isOpen ? 1 : 0;
      isOpen = false;
    };
    this.#unanswered += 1;
    this.#outcome.revocations += 1;
    process.whenDead(close);
    const revoke = () => revoker.revoke(subjects, (transaction) => wire.change(transaction, subject, version));
    const confirmOrRevoke = async () => {
      const { record } = await wire.load([subject]);
      return (record.get(subject) ?? 0) < version ? revoke() : revoker.confirmEarlier();
    };
    const onlyConfirms = diesAfterMs === undefined && this.#random.chance(0.2);
    process.deliver(() => {
      (onlyConfirms ? confirmOrRevoke() : revoke())
        // If it is rejected, the caller is told to repeat it.
        .then(
          () => this.#onAnswer(subject, version),
          () => undefined,
        )
        .then(close);
    });
    if (diesAfterMs !== undefined) {
      this.#world.after(diesAfterMs, () => process.kill());
    }
  }

  /** One of the servers, or a process that does nothing else. */
  #revokingProcess() {
    const random = this.#random;
    if (random.chance(0.2)) {
      const { process, wire, catchUp } = random.pick(this.#servers);
      return { process, wire, onCommitted: catchUp };
    }
    const process = new SimulatedProcess(this.#world);
    if (random.chance(0.2)) {
      const byMs = random.between(-1, 3) * leaseMs;
      this.#world.after(random.next() * leaseMs, () => process.setWallClock(byMs));
    }
    const onCommitted = () => {
      if (random.chance(0.3)) {
        random.pick(this.#servers).wire.cutFor(random.between(0.9, 1.4) * leaseMs);
      }
    };
    return { process, wire: new Wire(this.#world, process, this.#database), onCommitted };
  }

  #onAnswer(subject: string, version: number): void {
    this.#outcome.answered += 1;
    this.#answered.set(subject, Math.max(version, this.#answered.get(subject) ?? 0));
    this.#afterFirstAnswer?.();
    this.#afterFirstAnswer = undefined;
    for (const server of this.#servers) {
      this.#requestAfter(0, server);
      this.#requestAfter(this.#random.next() * 0.1 * leaseMs, server);
      this.#requestAfter(this.#random.next() * this.#random.pick([0.3, 1]) * leaseMs, server);
    }
  }

  #requestAfter(delayMs: number, server: SimulatedServer): void {
    this.#worthwhileUntilMs = Math.max(this.#worthwhileUntilMs, this.#world.nowMs + delayMs + 0.2 * leaseMs);
    this.#world.after(delayMs, () => this.#request(server));
  }

  /** Sends a request with one of the keys. What it must not be answered from is known at this moment. */
  #request(server: SimulatedServer): void {
    const key = this.#random.pick(keys);
    const least = subjectsOfKey(key).map((subject) => [subject, this.#answered.get(subject) ?? 0] as const);
    const sentAtMs = this.#world.nowMs;
    const answer = async () => {
      const found = await attempt(() => server.cache.get(key));
      this.#outcome.accepted += found === undefined ? 0 : 1;
      for (const [subject, version] of least) {
        const seen = found?.record.get(subject) ?? version;
        if (seen < version) {
          this.#outcome.violation ??=
            `a request sent at ${sentAtMs} ms got version ${seen} of ${subject} at ${this.#world.nowMs} ms ` +
            `from server ${this.#servers.indexOf(server) + 1}, when version ${version} had been answered`;
        }
      }
    };
    this.#world.after(this.#random.next() * this.#world.weather.usualDelayMs, () => server.process.deliver(answer));
  }

  #sweep(): void {
    const wire = new Wire(this.#world, new SimulatedProcess(this.#world), this.#database);
    wire.sweep().then(
      () => {
        this.#outcome.sweeps += 1;
      },
      () => undefined,
    );
  }
}

function chooseWeather(random: Random): Weather {
  return {
    usualDelayMs: random.pick([0.2, 3, 0.1 * leaseMs]),
    lateShare: random.pick([0, 0.03, 0.2]),
    maxDelayMs: random.pick([0.5, 1, 2]) * leaseMs,
    failureShare: random.pick([0, 0, 0.05, 0.2]),
    lateRegistrations: random.pick([0, 0, 0.3]),
    slowReads: random.pick([0, 0, 0.3]),
    lostNotifications: random.pick([0, 0.5, 1]),
  };
}

/** What it comes to. Undefined if it fails. */
async function attempt<T>(work: () => T | Promise<T>): Promise<T | undefined> {
  try {
    return await work();
  } catch {
    return undefined;
  }
}
