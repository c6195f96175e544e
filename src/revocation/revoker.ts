import type { Clock } from "../clock.ts";
import { AppError } from "../errors.ts";
import { acknowledgementPolls, clockDriftAllowance } from "./revocation.policy.ts";

/** The row of a server that has not acknowledged a revocation yet. */
export interface ServerBehind {
  readonly id: string;
  /** Grows with every renewal. */
  readonly renewals: number;
  readonly leaseMs: number;
}

/** The database as a revoker needs it. `Transaction` runs the statements of a transaction. */
export interface RevokerStore<Transaction> {
  transaction<T>(work: (transaction: Transaction) => Promise<T>): Promise<T>;
  /**
   * Writes one revocation for each subject and notifies every server; both take effect with the commit. From here until the
   * commit, other transactions that call this wait, so that sequence order is commit order. Returns the last sequence number.
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
  /** How long to try to read which servers have to be waited for. */
  readonly patienceMs: number;
  /** Called after each wait: how long it took, and how many servers had not acknowledged at its end. */
  readonly onConfirmed: (durationMs: number, unheardServers: number) => void;
}

/** The subjects of a change, or a function of its result. None: the change makes nothing invalid that is remembered. */
export type Subjects<T> = readonly string[] | ((result: T) => readonly string[]);

/** Makes changes after which no server answers from a state before them. */
export class Revoker<Transaction> {
  readonly #options: RevokerOptions<Transaction>;

  constructor(options: RevokerOptions<Transaction>) {
    this.#options = options;
  }

  /**
   * Runs `change` in a transaction and writes the revocations of its subjects into the same transaction, as the last statement
   * before the commit. Resolves with the change's result when every server has applied them or cannot hold a lease any more. A
   * change that finds everything changed already still has to name its subjects: the server that made the change may have
   * crashed before every other one applied it.
   *
   * Throws what `change` throws, and `unavailable` if the database fails; nothing is changed then. Throws `outcome_unknown` if
   * the change is made, but the database was lost before every server had acknowledged it: repeat the call.
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
          "The change was made, but the connection to the database was lost before every server confirmed it. Retry the call.",
          { cause },
        );
      }
    }
    return result;
  }

  /**
   * Resolves when everything that is revoked by now is applied on every server. Call it before a stored answer is given again: the
   * server that made the change may have crashed before every other one applied it.
   */
  async confirmEarlier(): Promise<void> {
    await this.#confirm(await this.#options.store.lastSequence());
  }

  async #confirm(sequence: number): Promise<void> {
    const { store, clock, pause, onConfirmed } = this.#options;
    const committedAt = clock.monotonicMs();
    const seenFirst = await this.#seeWhoIsBehind(sequence);
    // A server that is not among them has no lease, has applied the revocation, or registers later and reads it then.
    const seenAt = clock.monotonicMs();
    let behind = seenFirst;
    let pollAfterMs: number = acknowledgementPolls.firstMs;
    while (behind.length > 0) {
      const longestLeaseMs = Math.max(...behind.map((server) => server.leaseMs));
      const leftMs = seenAt + clockDriftAllowance * longestLeaseMs - clock.monotonicMs();
      if (leftMs <= 0) {
        // Their leases have expired. The rows of servers that crashed must not delay the next revocation. A server that has
        // renewed since holds a new lease, with the revocation applied, and keeps its row.
        await store.removeUnrenewed(behind).catch(() => undefined);
        break;
      }
      await pause(Math.min(pollAfterMs, leftMs));
      pollAfterMs = Math.min(pollAfterMs * 2, acknowledgementPolls.longestMs);
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
        await pause(acknowledgementPolls.longestMs);
      }
    }
  }

  /** Those of the servers, as they were first read, that are still behind. All of them if the database fails. */
  async #stillBehind(sequence: number, servers: readonly ServerBehind[]): Promise<readonly ServerBehind[]> {
    try {
      const now = new Set((await this.#options.store.serversBehind(sequence)).map((server) => server.id));
      return servers.filter((server) => now.has(server.id));
    } catch {
      return servers;
    }
  }
}
