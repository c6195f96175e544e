import type { Clock } from "../clock.ts";
import type { QuotaStore, QuotaSubject } from "./quota-store.ts";
import { type Admission, QuotaAccount, type QuotaResult } from "./workspace-quota.ts";

/** How often accounts that nobody uses are forgotten. */
const cleaningIntervalMs = 10_000;

/**
 * Counts requests across all servers: never more than a subject's limit in any 60 seconds. Most requests are counted with
 * tokens that this server holds already; the database is asked for the next batch.
 */
export class Quota {
  readonly #store: QuotaStore;
  readonly #clock: Clock;
  readonly #accounts = new Map<string, QuotaAccount>();
  #cleanedAtMs: number;

  constructor(store: QuotaStore, clock: Clock) {
    this.#store = store;
    this.#clock = clock;
    this.#cleanedAtMs = clock.monotonicMs();
  }

  /** Counts a request against one limit. Throws `unavailable` where the database cannot tell. */
  async take(subject: QuotaSubject): Promise<QuotaResult> {
    return (await this.#admit(subject)).result;
  }

  /**
   * Counts a request against several limits: it is admitted, and counted, by all of them or by none. The results are in the
   * order asked; the last one is the refusal, if there is one.
   */
  async takeAll(subjects: readonly QuotaSubject[]): Promise<QuotaResult[]> {
    const admissions: Admission[] = [];
    for (const subject of subjects) {
      const admission = await this.#admit(subject).catch((error: unknown) => {
        giveBackAll(admissions);
        throw error;
      });
      if (!admission.result.admitted) {
        giveBackAll(admissions);
        return [...admissions.map(({ result }) => result), admission.result];
      }
      admissions.push(admission);
    }
    return admissions.map(({ result }) => result);
  }

  #admit(subject: QuotaSubject): Promise<Admission> {
    this.#forgetIdleAccounts();
    const name = `${subject.workspaceId} ${subject.key}`;
    let account = this.#accounts.get(name);
    // An account is of one limit. What the old one still holds runs out by itself.
    if (account === undefined || account.limitPerMinute !== subject.limitPerMinute) {
      account = new QuotaAccount(this.#store, this.#clock, subject);
      this.#accounts.set(name, account);
    }
    return account.take();
  }

  #forgetIdleAccounts(): void {
    const nowMs = this.#clock.monotonicMs();
    if (nowMs - this.#cleanedAtMs < cleaningIntervalMs) {
      return;
    }
    this.#cleanedAtMs = nowMs;
    for (const [name, account] of this.#accounts) {
      if (account.isIdle) {
        this.#accounts.delete(name);
      }
    }
  }
}

function giveBackAll(admissions: readonly Admission[]): void {
  for (const admission of admissions) {
    admission.giveBack();
  }
}
