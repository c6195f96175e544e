import type { Clock } from "../../../clock.ts";
import { signBody } from "../../../crypto/body-signature.ts";
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
 * Text messages and calls through a small program of the operator's that knows the carrier: see
 * `docs/guides/delivery.md` for the contract, and `docs/provider-adapter` for such a program.
 */
export function createHttpProviderChannel(options: HttpProviderOptions, clock: Pick<Clock, "now">): Channel {
  return {
    name: "http-provider",
    async send(message, { idempotencyKey, signal }) {
      const now = clock.now();
      const body = JSON.stringify(requestBody(message, idempotencyKey, now));
      const answer = await postJson({
        url: options.url,
        headers: { "Idempotency-Key": idempotencyKey, "Byond-Signature": signBody(options.secret, body, now) },
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

/** The last line of a text message that phones fill in on the domain by themselves. */
function boundCode(message: CodeMessage): string[] {
  return message.autofillDomain === undefined ? [] : [`@${message.autofillDomain} #${message.code}`];
}

/** Statuses that say that the address or the secret is wrong, not the message. */
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
  // 409: the same message is still being handled, by an attempt that was given up.
  const provider = status === 409 ? "works" : "fails";
  return { kind: "retry", reason, provider, ...(retryAfterMs === undefined ? {} : { afterMs: retryAfterMs }) };
}

/** The provider's own word for what is wrong: letters only, so that it can hold neither a code nor a number. */
function describeError(body: unknown): string {
  const error = field(body, "error");
  return typeof error === "string" && /^[a-z_]{1,40}$/.test(error) ? ` (${error})` : "";
}
