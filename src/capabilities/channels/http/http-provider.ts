import type { Clock } from "../../../clock.ts";
import { signBody } from "../../../crypto/sign-body.ts";
import type { SendResult } from "../../../outbox/send-result.ts";
import type { Channel, CodeMessage } from "../outgoing-message.ts";
import { minutesLeft, textsFor } from "../texts/message-texts.ts";
import { field, type HttpAnswer, messageIdOf, postJson } from "./http-post.ts";

export interface HttpProviderOptions {
  /** Where messages are posted to. */
  readonly url: string;
  /** Signs every request. */
  readonly secret: string;
  /** How long an answer may take. Default 10 s. */
  readonly timeoutMs?: number;
}

/**
 * Sends text messages and calls through the operator's adapter for a carrier: `docs/guides/delivery.md` has the contract,
 * `docs/provider-adapter` an example.
 */
export function createHttpProviderChannel(options: HttpProviderOptions, clock: Pick<Clock, "now">): Channel {
  return {
    name: "http-provider",
    async send(message, { idempotencyKey, signal }) {
      const now = clock.now();
      const body = JSON.stringify(requestBody(message, idempotencyKey, now));
      const answer = await postJson({
        url: options.url,
        headers: { "Idempotency-Key": idempotencyKey, "Byond-Signature": signBody([options.secret], body, now) },
        body,
        signal,
        timeoutMs: options.timeoutMs ?? 10_000,
      });
      return providerOutcome(answer, idempotencyKey);
    },
  };
}

function requestBody(message: CodeMessage, id: string, now: Date) {
  const texts = textsFor(message.locale);
  const minutes = minutesLeft(message.expiresAt, now);
  const text =
    message.channel === "voice"
      ? texts.spoken(message.brand, message.code, minutes)
      : [texts.short(message.brand, message.code, minutes), ...boundCode(message)].join("\n\n");
  return {
    id,
    channel: message.channel,
    recipient: message.recipient,
    text,
    code: message.code,
    brand: message.brand,
    locale: texts.language,
    expires_at: message.expiresAt.toISOString(),
  };
}

/** The last line of a text message, from which phones fill in the code on the domain. */
function boundCode(message: CodeMessage): string[] {
  return message.autofillDomain === undefined ? [] : [`@${message.autofillDomain} #${message.code}`];
}

/** Statuses that mean that the URL or the secret is wrong, not the message. */
const misconfigured: ReadonlySet<number> = new Set([401, 403, 404, 405, 407, 415]);

function providerOutcome(answer: HttpAnswer, id: string): SendResult {
  if (answer.kind === "unanswered") {
    return { kind: "retry", reason: answer.reason, provider: "fails" };
  }
  const { status, body, retryAfterMs } = answer;
  if (status >= 200 && status < 300) {
    return { kind: "sent", providerMessageId: messageIdOf(field(body, "message_id")) ?? id };
  }
  const reason = `the provider answered ${status}${describeError(body)}`;
  if (status >= 400 && status < 500 && ![408, 409, 425, 429].includes(status) && !misconfigured.has(status)) {
    return { kind: "failed", reason, provider: "works" };
  }
  // 409: the adapter is still handling the same message, from an attempt that timed out here.
  const provider = status === 409 ? "works" : "fails";
  return { kind: "retry", reason, provider, ...(retryAfterMs === undefined ? {} : { afterMs: retryAfterMs }) };
}

/** The provider's error word: letters and underscores only, so that it cannot contain a code or a number. */
function describeError(body: unknown): string {
  const error = field(body, "error");
  return typeof error === "string" && /^[a-z_]{1,40}$/.test(error) ? ` (${error})` : "";
}
