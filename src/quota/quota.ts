import type { Awaitable } from "../awaitable.ts";
import type { Clock } from "../clock.ts";
import { type Admission, type QuotaCounts, type QuotaResult, QuotaShare } from "./quota-share.ts";
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
  /** By workspace, and by key in each of them. */
  readonly #shares = new Map<string, Map<string, QuotaShare>>();
  #cleanedAtMs: number;
  readonly counts: QuotaCounts = { admitted: 0, refused: 0, reservations: 0 };

  constructor(store: QuotaStore, clock: Clock) {
    this.#store = store;
    this.#clock = clock;
    this.#cleanedAtMs = clock.monotonicMs();
  }

  /**
   * Counts a request against one limit, or refuses it. `release` takes the count back, if what was counted does not happen; after
   * the server has asked for its next batch, the count stays for a minute. Throws `unavailable` if the database cannot tell.
   */
  async admit(subject: QuotaSubject): Promise<Admission> {
    return this.#admit(subject);
  }

  #admit(subject: QuotaSubject): Awaitable<Admission> {
    this.#forgetIdleShares();
    let shares = this.#shares.get(subject.workspaceId);
    if (shares === undefined) {
      shares = new Map();
      this.#shares.set(subject.workspaceId, shares);
    }
    let share = shares.get(subject.key);
    // A share has one limit. What the old one still holds expires by itself.
    if (share === undefined || share.limitPerMinute !== subject.limitPerMinute) {
      share = new QuotaShare(this.#store, this.#clock, subject, this.counts);
      shares.set(subject.key, share);
    }
    return share.admit();
  }

  /**
   * Counts a request against several limits: all of them admit and count it, or none. The results are in the order of the
   * subjects; the last one is the refusal, if there is one.
   */
  admitAll(subjects: readonly QuotaSubject[]): Awaitable<QuotaResult[]> {
    return this.#admitFrom(subjects, []);
  }

  /**
   * Counts several requests at once against several limits. The results are those of the limits up to the one that refuses, in their
   * order; then those that were admitted are released.
   */
  async admitTimes(subjects: readonly QuotaSubject[], count: number): Promise<QuotaResult[]> {
    const admissions: Admission[] = [];
    const results: QuotaResult[] = [];
    try {
      for (const subject of subjects) {
        // Together: those that have to be reserved in the database are one reservation.
        const admitted = await Promise.allSettled(Array.from({ length: count }, async () => this.#admit(subject)));
        const failed = admitted.find((outcome) => outcome.status === "rejected");
        const settled = admitted.flatMap((outcome) => (outcome.status === "fulfilled" ? [outcome.value] : []));
        admissions.push(...settled.filter(({ result }) => result.admitted));
        if (failed !== undefined) {
          throw failed.reason;
        }
        const { result } = settled.find((admission) => !admission.result.admitted) ?? settled.at(-1) ?? {};
        if (result !== undefined) {
          results.push(result);
        }
        if (result?.admitted === false) {
          releaseAll(admissions);
          return results;
        }
      }
      return results;
    } catch (error) {
      releaseAll(admissions);
      throw error;
    }
  }

  /** `admissions`: what the first subjects have admitted. */
  #admitFrom(subjects: readonly QuotaSubject[], admissions: Admission[]): Awaitable<QuotaResult[]> {
    for (let subject = subjects[admissions.length]; subject !== undefined; subject = subjects[admissions.length]) {
      const admission = this.#admit(subject);
      if (admission instanceof Promise) {
        return admission.then(
          (late) => addAdmission(late, admissions) ?? this.#admitFrom(subjects, admissions),
          (error: unknown) => {
            releaseAll(admissions);
            throw error;
          },
        );
      }
      const refused = addAdmission(admission, admissions);
      if (refused !== undefined) {
        return refused;
      }
    }
    return admissions.map(({ result }) => result);
  }

  #forgetIdleShares(): void {
    const nowMs = this.#clock.monotonicMs();
    if (nowMs - this.#cleanedAtMs < cleaningIntervalMs) {
      return;
    }
    this.#cleanedAtMs = nowMs;
    for (const [workspaceId, shares] of this.#shares) {
      for (const [key, share] of shares) {
        if (share.isIdle) {
          shares.delete(key);
        }
      }
      if (shares.size === 0) {
        this.#shares.delete(workspaceId);
      }
    }
  }
}

/** Adds an admission. For a refusal, releases those before it, and returns the results. */
function addAdmission(admission: Admission, admissions: Admission[]): QuotaResult[] | undefined {
  if (admission.result.admitted) {
    admissions.push(admission);
    return undefined;
  }
  releaseAll(admissions);
  return [...admissions.map(({ result }) => result), admission.result];
}

function releaseAll(admissions: readonly Admission[]): void {
  for (const admission of admissions) {
    admission.release();
  }
}
