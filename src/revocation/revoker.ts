import type { Clock } from "../clock.ts";
import { AppError } from "../errors.ts";

/** A server that has not acknowledged a revocation yet, as its row stands. */
export interface ServerBehind {
  readonly id: string;
  /** Grows with every renewal. */
  readonly renewals: number;
  readonly leaseMs: number;
}

/** What revoking needs of the database. `Transaction` is what statements inside a transaction are run with. */
export interface RevokerStore<Transaction> {
  transaction<T>(work: (transaction: Transaction) => Promise<T>): Promise<T>;
  /**
   * Writes one revocation for each subject and notifies every server, both when the transaction commits. From here on
   * until the commit, other transactions that do the same wait, so that sequence order is commit order. Returns the
   * last of the sequence numbers.
   */
  record(transaction: Transaction, subjects: readonly string[]): Promise<number>;
  /** The number of the last revocation that is committed; 0 if there never was one. */
  lastSequence(): Promise<number>;
  /** The servers that have not acknowledged the revocations up to `sequence`. */
  serversBehind(sequence: number): Promise<readonly ServerBehind[]>;
  /** Removes those of the rows that were not renewed since they were read. */
  removeUnrenewed(servers: readonly ServerBehind[]): Promise<void>;
}

export interface RevokerOptions<Transaction> {
  readonly store: RevokerStore<Transaction>;
  readonly clock: Clock;
  readonly pause: (ms: number) => Promise<void>;
  /** Called when a change is committed. It must not throw. */
  readonly onCommitted: () => void;
  /** How long to try to see who has to be waited for. */
  readonly patienceMs: number;
  /** Told how long each wait took, and how many servers it ended without. */
  readonly onConfirmed: (durationMs: number, unheardServers: number) => void;
}

/** The subjects of a change, or how they follow from its result. None: nothing has changed that anybody remembers. */
export type Subjects<T> = readonly string[] | ((result: T) => readonly string[]);

/** Clocks of different machines do not run equally fast: this much longer than the longest lease is waited. */
const clockDriftAllowance = 1.1;
const firstPollAfterMs = 2;
const maxPollIntervalMs = 25;

/** Makes changes that no server may answer from before of. */
export class Revoker<Transaction> {
  readonly #options: RevokerOptions<Transaction>;

  constructor(options: RevokerOptions<Transaction>) {
    this.#options = options;
  }

  /**
   * Runs `change` in a transaction and writes the revocations of its subjects into the same transaction, as the last
   * thing before the commit. Resolves with the change's result when every server has applied them or can no longer hold
   * a lease. A change that finds everything changed already still has to name its subjects: whoever made it may have
   * died before it was known everywhere.
   *
   * Throws what `change` throws, and `unavailable` if the database fails; nothing is changed then. Throws
   * `outcome_unknown` if the change is made, but the database does not say whether it holds everywhere: repeat it.
   */
  async revoke<T>(subjects: Subjects<T>, change: (transaction: Transaction) => Promise<T>): Promise<T> {
    const { store } = this.#options;
    const { result, sequence } = await store.transaction(async (transaction) => {
      const result = await change(transaction);
      const named = typeof subjects === "function" ? subjects(result) : subjects;
      return { result, sequence: named.length === 0 ? undefined : await store.record(transaction, named) };
    });
    if (sequence !== undefined) {
      this.#options.onCommitted();
      try {
        await this.#confirm(sequence);
      } catch (cause) {
        throw new AppError(
          "outcome_unknown",
          "The change was made, but the database was lost before it was certain on every server. Repeat the call.",
          { cause },
        );
      }
    }
    return result;
  }

  /**
   * Resolves when everything that is revoked by now holds on every server. For whoever answers once more for a change
   * that was made before, as with a stored answer: the one who made it may have died before it held.
   */
  async confirmEarlier(): Promise<void> {
    await this.#confirm(await this.#options.store.lastSequence());
  }

  async #confirm(sequence: number): Promise<void> {
    const { store, clock, pause, onConfirmed } = this.#options;
    const committedAt = clock.monotonicMs();
    const seenFirst = await this.#seeWhoIsBehind(sequence);
    // Whoever is not among them has no lease, has applied the revocation, or registers later and then reads it.
    const seenAt = clock.monotonicMs();
    let behind = seenFirst;
    let pollAfterMs = firstPollAfterMs;
    while (behind.length > 0) {
      const longestLeaseMs = Math.max(...behind.map((server) => server.leaseMs));
      const leftMs = seenAt + clockDriftAllowance * longestLeaseMs - clock.monotonicMs();
      if (leftMs <= 0) {
        // Their leases are over. The rows of those that are gone must not hold up the next revocation; a server that has
        // renewed since holds a new lease, with the revocation applied, and keeps its row.
        await store.removeUnrenewed(behind).catch(() => undefined);
        break;
      }
      await pause(Math.min(pollAfterMs, leftMs));
      pollAfterMs = Math.min(pollAfterMs * 2, maxPollIntervalMs);
      behind = await this.#stillBehind(sequence, behind);
    }
    onConfirmed(clock.monotonicMs() - committedAt, behind.length);
  }

  async #seeWhoIsBehind(sequence: number): Promise<readonly ServerBehind[]> {
    const { store, clock, pause, patienceMs } = this.#options;
    const giveUpAt = clock.monotonicMs() + patienceMs;
    for (;;) {
      try {
        return await store.serversBehind(sequence);
      } catch (error) {
        if (clock.monotonicMs() >= giveUpAt) {
          throw error;
        }
        await pause(maxPollIntervalMs);
      }
    }
  }

  /** Those of the servers, as they were seen first, that are behind still. All of them if the database does not say. */
  async #stillBehind(sequence: number, servers: readonly ServerBehind[]): Promise<readonly ServerBehind[]> {
    try {
      const now = new Set((await this.#options.store.serversBehind(sequence)).map((server) => server.id));
      return servers.filter((server) => now.has(server.id));
    } catch {
      return servers;
    }
  }
}
