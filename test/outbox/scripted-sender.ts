import type { OutboxItem } from "../../src/outbox/outbox.ts";
import type { SendResult } from "../../src/outbox/send-result.ts";

export const sent = { kind: "sent", providerMessageId: "pm_1" } as const satisfies SendResult;
export const down = { kind: "retry", reason: "provider down", provider: "fails" } as const satisfies SendResult;
export const greylisted = { kind: "retry", reason: "later", provider: "works" } as const satisfies SendResult;

/** An attempt that a scripted sender was asked for, and that waits to be told how it ends. */
export interface PendingAttempt {
  readonly item: OutboxItem;
  readonly signal: AbortSignal;
  readonly end: (result: SendResult) => void;
}

/** A sender whose attempts wait until the test ends them; `next` resolves with the next one that begins. */
export class ScriptedSender {
  readonly begun: PendingAttempt[] = [];
  readonly #waiters: ((attempt: PendingAttempt) => void)[] = [];
  #taken = 0;

  readonly send = (item: OutboxItem, signal: AbortSignal): Promise<SendResult> =>
    new Promise((resolve) => {
      signal.addEventListener("abort", () => resolve({ kind: "retry", reason: "aborted", provider: "works" }));
      const attempt = { item, signal, end: resolve };
      this.begun.push(attempt);
      const waiter = this.#waiters.shift();
      if (waiter !== undefined) {
        this.#taken += 1;
        waiter(attempt);
      }
    });

  /** The next attempt that was not taken yet, as soon as it begins. */
  async next(): Promise<PendingAttempt> {
    const attempt = this.begun[this.#taken];
    if (attempt !== undefined) {
      this.#taken += 1;
      return attempt;
    }
    return new Promise((resolve) => this.#waiters.push(resolve));
  }
}
