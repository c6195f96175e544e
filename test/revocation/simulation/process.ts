import type { Clock } from "../../../src/clock.ts";
import type { World } from "./world.ts";

/** A process with clocks of its own. It can be paused, suspended with its machine, and killed. */
export class SimulatedProcess implements Clock {
  readonly #world: World;
  /** How fast its monotonic clock runs. */
  readonly #rate: number;
  readonly #bootedAtMs: number;
  readonly #whenDead: (() => void)[] = [];
  #wallOffsetMs: number;
  #suspendedMs = 0;
  #paused = false;
  #dead = false;
  #waiting: (() => void)[] = [];

  constructor(world: World) {
    this.#world = world;
    this.#rate = world.random.pick([0.96, 1.04, world.random.between(0.96, 1.04)]);
    this.#bootedAtMs = -world.random.between(0, 1e6);
    this.#wallOffsetMs = 1e9 + world.random.between(-1e3, 1e3);
  }

  get isDead(): boolean {
    return this.#dead;
  }

  now(): Date {
    return new Date(this.#world.nowMs + this.#wallOffsetMs);
  }

  monotonicMs(): number {
    return (this.#world.nowMs - this.#bootedAtMs - this.#suspendedMs) * this.#rate;
  }

  readonly pause = (ms: number): Promise<void> =>
    new Promise((resolve) => this.#world.after(ms / this.#rate, () => this.deliver(resolve)));

  /** Something arrives from outside. It waits while the process is paused. */
  deliver(action: () => void): void {
    if (this.#dead) {
      return;
    }
    if (this.#paused) {
      this.#waiting.push(action);
    } else {
      this.#world.processRuns();
      action();
    }
  }

  setWallClock(byMs: number): void {
    this.#wallOffsetMs += byMs;
  }

  /** `suspended`: the machine sleeps, and its monotonic clock with it. `stopped`: only the process does. */
  stopFor(ms: number, how: "stopped" | "suspended"): void {
    if (this.#paused || this.#dead) {
      return;
    }
    this.#paused = true;
    this.#world.after(ms, () => {
      this.#paused = false;
      this.#suspendedMs += how === "suspended" ? ms : 0;
      const waiting = this.#waiting;
      this.#waiting = [];
      // Timers and sockets are served in any order.
      for (const action of waiting) {
        this.#world.after(this.#world.random.next(), () => this.deliver(action));
      }
    });
  }

  kill(): void {
    this.#dead = true;
    for (const tell of this.#whenDead.splice(0)) {
      tell();
    }
  }

  whenDead(tell: () => void): void {
    this.#whenDead.push(tell);
  }
}
