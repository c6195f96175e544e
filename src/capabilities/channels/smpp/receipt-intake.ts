import type { Clock } from "../../../clock.ts";
import { LruMap } from "../../../lru-map.ts";
import type { Logger } from "../../../observe/log.ts";
import type { Receipt } from "../../../outbox/delivery-receipts.ts";
import type { Timers } from "../../../outbox/timers.ts";

export interface ReceiptIntakeOptions {
  /** The provider's name, for the log. */
  readonly provider: string;
  readonly logger: Logger;
  readonly clock: Clock;
  readonly timers: Timers;
  /** Records receipts. Returns the ids of the messages that are known. Throws errors of the database. */
  readonly record: (receipts: readonly Receipt[]) => Promise<ReadonlySet<string>>;
}

/**
 * - `recorded`: it is in the database.
 * - `foreign`: no message has its id, and none will: another program sends with the same account.
 * - `later`: its message is not known yet, or the database is unavailable.
 */
export type IntakeResult = "recorded" | "foreign" | "later";

/** Receipts that one statement records. */
const batchSize = 100;

/**
 * A receipt can arrive before its message is recorded as sent, if its network is fast: it is held, since SMSCs wait minutes before they send one
 * again that was refused, if they do at all.
 */
const pausesMs = [100, 400, 1_500, 3_000] as const;

/** A message is recorded, by any server, within this long. For as long, a receipt of an unknown one is refused. */
const recordDelayMs = 60_000;

/** Ids whose first receipt is remembered. */
const rememberedIds = 10_000;

/** Records the receipts of a provider, those that arrive together by one statement. */
export class ReceiptIntake {
  readonly #options: ReceiptIntakeOptions;
  readonly #firstSeen = new LruMap<string, { readonly atMs: number }>(rememberedIds);
  #waiting: { readonly receipt: Receipt; readonly resolve: (result: IntakeResult | "unknown") => void }[] = [];
  #isRecording = false;

  constructor(options: ReceiptIntakeOptions) {
    this.#options = options;
  }

  /** Takes one receipt. Resolves when it is clear what becomes of it; never rejects. */
  async take(receipt: Receipt): Promise<IntakeResult> {
    const { clock, timers } = this.#options;
    const first = this.#firstSeen.get(receipt.messageId) ?? { atMs: clock.monotonicMs() };
    for (const pauseMs of [0, ...pausesMs]) {
      if (pauseMs > 0) {
        await new Promise<void>((resolve) => timers.after(pauseMs, resolve));
      }
      const result = await this.#record(receipt);
      if (result !== "unknown") {
        this.#firstSeen.delete(receipt.messageId);
        return result;
      }
      if (clock.monotonicMs() - first.atMs >= recordDelayMs) {
        return "foreign";
      }
      this.#firstSeen.set(receipt.messageId, first);
    }
    return "later";
  }

  #record(receipt: Receipt): Promise<IntakeResult | "unknown"> {
    return new Promise((resolve) => {
      this.#waiting.push({ receipt, resolve });
      void this.#recordWaiting();
    });
  }

  async #recordWaiting(): Promise<void> {
    if (this.#isRecording) {
      return;
    }
    this.#isRecording = true;
    while (this.#waiting.length > 0) {
      const batch = this.#waiting.splice(0, batchSize);
      try {
        const known = await this.#options.record(batch.map(({ receipt }) => receipt));
        for (const { receipt, resolve } of batch) {
          resolve(known.has(receipt.messageId) ? "recorded" : "unknown");
        }
      } catch (error) {
        const { logger, provider } = this.#options;
        logger.warn("smpp_receipts_delayed", { provider, count: batch.length, error });
        for (const { resolve } of batch) {
          resolve("later");
        }
      }
    }
    this.#isRecording = false;
  }
}
