import type { Clock } from "../clock.ts";
import type { AppliedRevocations, Revocation } from "./applied-revocations.ts";
import { maxEarlierRegistrations, maxReadsPerRound } from "./revocation.policy.ts";

/** The database as a lease needs it. Each method runs one statement with a snapshot of its own, and settles at some time. */
export interface LeaseStore {
  /**
   * Adds a row for this server, and removes the rows of its earlier registrations. Returns the sequence number of the last
   * committed revocation: the row acknowledges everything up to it.
   */
  register(id: string, leaseMs: number, earlierIds: readonly string[]): Promise<number>;
  /** Acknowledges in the own row what was applied so far. Returns false if there is no such row. */
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
  /** Makes a name for each registration that no registration ever had. */
  readonly createRegistrationId: () => string;
}

interface Moment {
  readonly monotonicMs: number;
  readonly wallMs: number;
}

/**
 * One server's lease. While it is valid, every revocation that was answered anywhere is applied here, so that this server may
 * answer from what it remembers.
 *
 * That holds because a lease becomes valid only after the revocations were applied that a snapshot *after* the update of the
 * own row showed, and it is valid for its length from the moment *before* that update was sent. A revocation that commits too
 * late for the snapshot finds the row, and is not answered before the row acknowledges it or the lease has expired.
 *
 * States:
 *
 * - **unregistered**: this server has no row, or does not know whether it has one. The lease is not valid.
 * - **valid**: it has a row, and the time of the lease has not passed.
 * - **expired**: it has a row, but the time of the lease has passed, or no round has ended yet since it registered.
 * - **released**: its rows are removed. Final.
 *
 * Transitions, in rounds that run one after the other:
 *
 * - unregistered → expired: a row is inserted. Everything that is remembered is forgotten (`startOver`).
 * - expired → valid, valid → valid (later end): the row is updated, and then the revocations are read and applied.
 * - valid → expired: the time of the lease passes, by the monotonic or by the wall clock.
 * - valid or expired → unregistered: an update finds no row. PostgreSQL was restarted, or a revoker removed the row. The same
 *   round registers again, under a new name.
 * - any → released: `release`. The round that runs, and the next one if it was asked for, end first.
 *
 * A round that fails leaves the state as it is; after a failed registration that is unregistered.
 */
export class Lease {
  readonly #options: LeaseOptions;
  #validUntil: Moment | undefined;
  /** Undefined: unregistered. */
  #registration: string | undefined;
  /** Registrations that were given up, or never answered: their statements may still reach the database. */
  #earlier: string[] = [];
  #released = false;
  /** The round that runs, or the last one that ran. */
  #lastRound: Promise<void> = Promise.resolve();
  #nextRound: { renewing: boolean; readonly done: Promise<void> } | undefined;

  constructor(options: LeaseOptions) {
    this.#options = options;
  }

  /** Whether this server may answer from what it remembers at this moment. Ask before every answer. */
  isValid(): boolean {
    if (this.#validUntil === undefined || this.#released) {
      return false;
    }
    const now = this.#now();
    // While a machine is suspended, its monotonic clock may stand still; its wall clock does not.
    return now.monotonicMs < this.#validUntil.monotonicMs && now.wallMs < this.#validUntil.wallMs;
  }

  /** Renews the lease; applies and acknowledges revocations. Rejects if the database failed: call it again then. */
  renew(): Promise<void> {
    return this.#scheduleRound(true);
  }

  /**
   * Applies and acknowledges revocations. Call it when a notification arrives. What the notification says is ignored, because
   * the one before it may have been lost. Rejects if the database failed; the next renewal catches up.
   */
  catchUp(): Promise<void> {
    return this.#scheduleRound(false);
  }

  /** Ends the lease for good and removes the server's row, so that no revocation waits for it. */
  async release(): Promise<void> {
    this.#released = true;
    await (this.#nextRound?.done ?? this.#lastRound).catch(() => undefined);
    const ids = this.#registration === undefined ? this.#earlier : [...this.#earlier, this.#registration];
    await this.#options.store.remove(ids);
  }

  /** Rounds run one at a time. A caller during a round gets the next one: the current round may have read too early for it. */
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

  /** Acknowledges in the own row what was applied so far. Returns the moment before the statement was sent. */
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
      // Some of the missed revocations may be swept already. Those that are not abort the running calls that they concern.
      applied.apply(await store.revocationsAfter(applied.sequence));
    }
    return this.#register();
  }

  /**
   * While this server had no row, revocations did not wait for it, and those that it has not applied may be swept: it forgets
   * everything. It takes a new name each time: the statement of an earlier registration may reach the database much later,
   * and would acknowledge revocations that were not applied to what is remembered by then.
   */
  async #register(): Promise<Moment> {
    const { store, applied, leaseMs, createRegistrationId } = this.#options;
    const id = createRegistrationId();
    const earlier = this.#earlier;
    this.#earlier = [...earlier, id].slice(-maxEarlierRegistrations);
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
