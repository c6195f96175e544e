import type { Loaded } from "../../../src/revocation/credential-cache.ts";
import type { LeaseStore } from "../../../src/revocation/lease.ts";
import type { RevokerStore } from "../../../src/revocation/revoker.ts";
import type { ModelPostgres, ModelTransaction } from "./model-postgres.ts";
import type { SimulatedProcess } from "./process.ts";
import type { World } from "./world.ts";

/** The versions of what a key depends on, as they were read. */
export type Versions = ReadonlyMap<string, number>;

/** One process's connections to the database. */
export class Wire implements LeaseStore, RevokerStore<ModelTransaction> {
  readonly #world: World;
  readonly #process: SimulatedProcess;
  readonly #database: ModelPostgres;
  #isCut = false;

  constructor(world: World, process: SimulatedProcess, database: ModelPostgres) {
    this.#world = world;
    this.#process = process;
    this.#database = database;
  }

  get isCut(): boolean {
    return this.#isCut;
  }

  /** Nothing gets through for a while. */
  cutFor(ms: number): void {
    this.#isCut = true;
    this.#world.after(ms, () => {
      this.#isCut = false;
    });
  }

  register(id: string, leaseMs: number, earlierIds: readonly string[]) {
    return this.#call<number>(
      (finish) => this.#database.register(id, leaseMs, earlierIds, finish),
      this.#world.weather.lateRegistrations,
    );
  }

  renew(id: string, applied: number) {
    return this.#call<boolean>((finish) => this.#database.renew(id, applied, finish));
  }

  revocationsAfter(sequence: number) {
    return this.#call<Awaited<ReturnType<LeaseStore["revocationsAfter"]>>>((finish) =>
      this.#database.revocationsAfter(sequence, finish),
    );
  }

  remove(ids: readonly string[]) {
    return this.#call<void>((finish) => this.#database.remove(ids, finish));
  }

  lastSequence() {
    return this.#call<number>((finish) => this.#database.lastSequence(finish));
  }

  serversBehind(sequence: number) {
    return this.#call<Awaited<ReturnType<RevokerStore<unknown>["serversBehind"]>>>((finish) =>
      this.#database.serversBehind(sequence, finish),
    );
  }

  removeUnrenewed(servers: Parameters<RevokerStore<unknown>["removeUnrenewed"]>[0]) {
    return this.#call<void>((finish) => this.#database.removeUnrenewed(servers, finish));
  }

  sweep() {
    return this.#call<void>((finish) => this.#database.sweep(finish));
  }

  /** Reads what a key depends on, all in one statement. */
  load(subjects: readonly string[]): Promise<Loaded<Versions>> {
    const { random, weather } = this.#world;
    const slowMs = random.chance(weather.slowReads) ? random.next() * 3 * weather.maxDelayMs : 0;
    return this.#call((finish) => {
      const versions = new Map(subjects.map((subject) => [subject, this.#database.version(subject)]));
      this.#world.after(slowMs, () => finish({ record: versions, subjects: subjects.slice(1) }));
    });
  }

  async transaction<T>(work: (transaction: ModelTransaction) => Promise<T>): Promise<T> {
    const transaction = this.#database.begin();
    const rollBackLater = () => this.#world.after(this.#world.delayMs(), () => this.#database.rollBack(transaction));
    this.#process.whenDead(rollBackLater);
    try {
      const result = await work(transaction);
      await this.#call<void>((finish) => this.#database.commit(transaction, finish));
      return result;
    } catch (error) {
      rollBackLater();
      throw error;
    }
  }

  change(transaction: ModelTransaction, subject: string, version: number) {
    return this.#call<boolean>((finish) => this.#database.change(transaction, subject, version, finish));
  }

  async record(transaction: ModelTransaction, subjects: readonly string[]) {
    await this.#call<void>((finish) => this.#database.takeAdvisoryLock(transaction, finish));
    return this.#call<number>((finish) => this.#database.insertRevocations(transaction, subjects, finish));
  }

  /**
   * A statement on its way, and its result. It fails for its sender if the connection is lost or the sender loses its
   * patience; the statement may reach the database all the same, much later even.
   */
  #call<T>(execute: (finish: (result: T) => void) => void, lateShare = 0): Promise<T> {
    const world = this.#world;
    const { random, weather } = world;
    return new Promise((resolve, reject) => {
      const isLate = !this.#isCut && random.chance(lateShare);
      const fails = isLate || this.#isCut || random.chance(weather.failureShare);
      if (fails) {
        world.after(world.delayMs(), () => this.#process.deliver(() => reject(new Error("connection lost"))));
        if (!isLate && (this.#isCut || random.chance(0.5))) {
          return;
        }
      }
      const arrivesAfterMs =
        isLate || (fails && random.chance(0.5)) ? random.next() * 3 * weather.maxDelayMs : world.delayMs();
      world.after(arrivesAfterMs, () =>
        execute((result) => world.after(world.delayMs(), () => this.#process.deliver(() => resolve(result)))),
      );
    });
  }
}
