import type { SendResult } from "../../outbox/send-result.ts";

/** What an error code of a provider means, in our words: theirs may contain what was sent. */
export interface ErrorMeaning {
  readonly reason: string;
  /**
   * - `fail`: this message is refused, and would be refused again.
   * - `fail-here`: as `fail`, but another provider may take the message.
   * - `undeliverable`: every message to this recipient on this channel is refused.
   * - `retry-message`: this message may be accepted later.
   * - `retry-provider`: all messages fail at present.
   */
  readonly effect: "fail" | "fail-here" | "undeliverable" | "retry-message" | "retry-provider";
  /** How long to wait if the response does not say. */
  readonly afterMs?: number;
}

/** The result of an attempt that a provider answered with an error. `detail` is the status, and a code that the provider documents. */
export function resultOf(meaning: ErrorMeaning, detail: string, retryAfterMs?: number): SendResult {
  const reason = `${meaning.reason} (${detail})`;
  switch (meaning.effect) {
    case "fail":
      return { kind: "failed", reason, provider: "works" };
    case "fail-here":
      return { kind: "failed", reason, provider: "works", elsewhere: true };
    case "undeliverable":
      return { kind: "failed", reason, provider: "works", undeliverable: true };
    case "retry-message":
    case "retry-provider": {
      const afterMs = retryAfterMs ?? meaning.afterMs;
      const provider = meaning.effect === "retry-provider" ? "fails" : "works";
      return { kind: "retry", reason, provider, ...(afterMs === undefined ? {} : { afterMs }) };
    }
  }
}
