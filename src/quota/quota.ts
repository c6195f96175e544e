import type { Clock } from "../clock.ts";
import { type Admission, type QuotaResult, QuotaShare } from "./quota-share.ts";
import type { QuotaStore, QuotaSubject } from "./quota-store.ts";

/** How often shares that nobody uses are forgotten. */
const cleaningIntervalMs = 10_000;

/**
 * Counts requests across all servers: never more than a subject's limit in any 60 seconds. Most requests consume a token that this
 * server holds already; only the next batch of tokens is reserved in the database.
 *
 * ```ts
 * const quota = new Quota(databaseQuotaStore(database), clock);
 * const { result, release } = await quota.admit({ workspaceId, key: "workspace", limitPerMinute: 1_000 });
 * ```
 */
export class Quota {
  readonly #store: QuotaStore;
  readonly #clock: Clock;
  readonly #shares = new Map<string, QuotaShare>();
  #cleanedAtMs: number;

  constructor(store: QuotaStore, clock: Clock) {
    this.#store = store;
    this.#clock = clock;
    this.#cleanedAtMs = clock.monotonicMs();
  }

  /**
   * Counts a request against one limit, or refuses it. `release` takes the count back, if what was counted does not happen; after
   * the server has asked for its next batch, the count stays for a minute. Throws `unavailable` if the database cannot tell.
   */
  admit(subject: QuotaSubject): Promise<Admission> {
    this.#forgetIdleShares();
    const name = `${subject.workspaceId} ${subject.key}`;
    let share = this.#shares.get(name);
    // A share has one limit. What the old one still holds expires by itself.
    if (share === undefined || share.limitPerMinute !== subject.limitPerMinute) {
      share = new QuotaShare(this.#store, this.#clock, subject);
      this.#shares.set(name, share);
    }
    return share.admit();
  }

  /**
   * Counts a request against several limits: all of them admit and count it, or none. The results are in the order of the
   * subjects; the last one is the refusal, if there is one.
   */
  async admitAll(subjects: readonly QuotaSubject[]): Promise<QuotaResult[]> {
    const admissions: Admission[] = [];
    for (const subject of subjects) {
      const admission = await this.admit(subject).catch((error: unknown) => {
        releaseAll(admissions);
        throw error;
      });
      if (!admission.result.admitted) {
        releaseAll(admissions);
        return [...admissions.map(({ result }) => result), admission.result];
      }
      admissions.push(admission);
    }
    return admissions.map(({ result }) => result);
  }

  #forgetIdleShares(): void {
    const nowMs = this.#clock.monotonicMs();
    if (nowMs - this.#cleanedAtMs < cleaningIntervalMs) {
      return;
    }
    this.#cleanedAtMs = nowMs;
    for (const [name, share] of this.#shares) {
      if (share.isIdle) {
        this.#shares.delete(name);
      }
    }
  }
}

function releaseAll(admissions: readonly Admission[]): void {
  for (const admission of admissions) {
    admission.release();
  }
}
