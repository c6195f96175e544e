import type { Clock } from "../clock.ts";
import type { AppliedRevocations, Revocation } from "./applied-revocations.ts";

/** What a lease needs of the database. Each is one statement with a snapshot of its own, and settles sooner or later. */
export interface LeaseStore {
  /**
   * Adds a row for this server, and removes rows of its earlier registrations. Returns the sequence number of the last
   * revocation that was committed: the row says that everything up to it is applied.
   */
  register(id: string, leaseMs: number, earlierIds: readonly string[]): Promise<number>;
  /** Writes into the own row what was applied so far. False if there is no such row. */
  renew(id: string, appliedSequence: number): Promise<boolean>;
  /** The committed revocations after `sequence`, in order. */
  revocationsAfter(sequence: number): Promise<readonly Revocation[]>;
  /** Removes own rows. */
  remove(ids: readonly string[]): Promise<void>;
}

export interface LeaseOptions {
  readonly store: LeaseStore;
  readonly applied: AppliedRevocations;
  readonly clock: Clock;
  readonly leaseMs: number;
  /** A new name for each registration, unlike any that a server ever had. */
  readonly createRegistrationId: () => string;
}

/** Rows of registrations beyond that, from a long time without a database, are left for a revoker to remove. */
const maxEarlier = 20;

/** However fast revocations follow one another, a round ends. */
const maxReadsPerRound = 10;

interface Moment {
  readonly monotonicMs: number;
  readonly wallMs: number;
}

/**
 * One server's lease: while it is valid, every revocation that was answered anywhere is applied here, so that this
 * server may answer from what it remembers.
 *
 * That holds because a lease is valid only once the revocations were applied that a snapshot *after* the update of the
 * own row showed, and only for its length after the moment *before* that update was sent. A revocation that commits too
 * late for the snapshot finds the row, and is not answered before either the row acknowledges it or the lease is over.
 */
export class Lease {
  readonly #options: LeaseOptions;
  #validUntil: Moment | undefined;
  /** Undefined: this server has no row, or does not know. */
  #registration: string | undefined;
  /** Registrations that were given up, or never answered: their statements may still be on their way. */
  #earlier: string[] = [];
  #released = false;
  /** The round that runs, or the last one that ran. */
  #lastRound: Promise<void> = Promise.resolve();
  #nextRound: { renewing: boolean; readonly done: Promise<void> } | undefined;

  constructor(options: LeaseOptions) {
    this.#options = options;
  }

  /** Whether this server may answer from what it remembers, at this moment. Ask for every answer. */
  isValid(): boolean {
    if (this.#validUntil === undefined || this.#released) {
      return false;
    }
    const now = this.#now();
    // The wall clock goes on while a suspended machine's monotonic clock stands still.
    return now.monotonicMs < this.#validUntil.monotonicMs && now.wallMs < this.#validUntil.wallMs;
  }

  /** Renews the lease, and applies and acknowledges what was revoked. Rejects if the database failed; try again then. */
  renew(): Promise<void> {
    return this.#scheduleRound(true);
  }

  /**
   * Applies and acknowledges what was revoked. To be called when a notification arrives: what that says is not looked
   * at, because the one before it may have been lost. Rejects if the database failed; the next renewal catches up.
   */
  catchUp(): Promise<void> {
    return this.#scheduleRound(false);
  }

  /** Ends the lease for good and removes the server's row, so that nobody waits for it. */
  async release(): Promise<void> {
    this.#released = true;
    await (this.#nextRound?.done ?? this.#lastRound).catch(() => undefined);
    const ids = this.#registration === undefined ? this.#earlier : [...this.#earlier, this.#registration];
    await this.#options.store.remove(ids);
  }

  /** One round at a time. What asks while one runs gets the next: the one that runs may have read too early for it. */
  #scheduleRound(renewing: boolean): Promise<void> {
    if (this.#nextRound !== undefined) {
      this.#nextRound.renewing ||= renewing;
      return this.#nextRound.done;
    }
    const done = this.#lastRound.then(() => {
      const round = this.#nextRound;
      this.#nextRound = undefined;
      return this.#runRound(round?.renewing ?? true);
    });
    this.#nextRound = { renewing, done };
    this.#lastRound = done.catch(() => undefined);
    return done;
  }

  async #runRound(renewing: boolean): Promise<void> {
    const { store, applied } = this.#options;
    if (this.#released) {
      return;
    }
    let updateSentAt = renewing || this.#registration === undefined ? await this.#updateRow() : undefined;
    for (let reads = 0; reads < maxReadsPerRound; reads += 1) {
      const revocations = await store.revocationsAfter(applied.sequence);
      applied.apply(revocations);
      if (updateSentAt !== undefined) {
        this.#extend(updateSentAt);
      }
      if (revocations.length === 0 || this.#released) {
        return;
      }
      // Acknowledges what was applied, and is the first half of the next renewal.
      updateSentAt = await this.#updateRow();
    }
  }

  /** Writes into the own row what was applied so far. Returns the moment before that was sent. */
  async #updateRow(): Promise<Moment> {
    const { store, applied } = this.#options;
    if (this.#registration !== undefined) {
      const sentAt = this.#now();
      if (await store.renew(this.#registration, applied.sequence)) {
        return sentAt;
      }
      this.#validUntil = undefined;
      this.#earlier.push(this.#registration);
      this.#registration = undefined;
      // Not all of what was missed may be there still; what is ends the calls under way that it concerns.
      applied.apply(await store.revocationsAfter(applied.sequence));
    }
    return this.#register();
  }

  /**
   * Without a row nobody waited for this server, and revocations that it has not applied may be swept already: it
   * forgets everything. Under a new name each time: a registration that was given up may still reach the database, much
   * later, and its claim to have applied everything is not true of what is remembered by then.
   */
  async #register(): Promise<Moment> {
    const { store, applied, leaseMs, createRegistrationId } = this.#options;
    const id = createRegistrationId();
    const earlier = this.#earlier;
    this.#earlier = [...earlier, id].slice(-maxEarlier);
    const sentAt = this.#now();
    const sequence = await store.register(id, leaseMs, earlier);
    applied.startOver(sequence);
    this.#registration = id;
    this.#earlier = [];
    return sentAt;
  }

  #extend(sentAt: Moment): void {
    const { leaseMs } = this.#options;
    this.#validUntil = { monotonicMs: sentAt.monotonicMs + leaseMs, wallMs: sentAt.wallMs + leaseMs };
  }

  #now(): Moment {
    const { clock } = this.#options;
    return { monotonicMs: clock.monotonicMs(), wallMs: clock.now().getTime() };
  }
}
