import { signBody } from "../../../crypto/sign-body.ts";
import type { SendResult } from "../../../outbox/send-result.ts";
import { field, type HttpAnswer, messageIdOf, postJson, unansweredResult } from "../http/http-post.ts";
import type { CodeMessage } from "../outgoing-message.ts";
import type { Provider, ProviderDependencies, ProviderKind } from "../provider-kind.ts";
import { commonParameters } from "../provider-parameters.ts";
import { providerText } from "../provider-text.ts";
import { textsFor } from "../texts/languages.ts";
import { adapterCallback } from "./adapter-callback.ts";
import { adapterError } from "./adapter-error.ts";

export interface AdapterOptions {
  /** Where messages are posted to. */
  readonly url: string;
  /** Signs every request, and checks what the adapter reports. */
  readonly secret: string;
  /** How long an answer may take. Default 10 s. */
  readonly timeoutMs?: number;
}

/** The operator's own adapter for a carrier: `docs/guides/delivery.md` has the contract, `docs/provider-adapter` an example. */
export const adapterKind: ProviderKind = {
  name: "adapter",
  schemes: ["https", "http"],
  channels: ["sms", "voice"],
  isWebAddress: true,
  facts: {
    dsn: "`https://sms-adapter.internal/messages`",
    reports: "if the adapter does (`reports_delivery`)",
    signature: "`Byond-Signature`, with `PROVIDER_SECRET`",
    finalState: "`delivered` or `failed` with reports, otherwise `sent`",
  },
  configure(dsn, { secret }) {
    if (secret === undefined) {
      throw new TypeError("an adapter needs PROVIDER_SECRET");
    }
    if (dsn.user !== undefined) {
      throw new TypeError("the URL of an adapter must not contain a user or a password");
    }
    const url = dsn.withoutParameters(commonParameters);
    if (dsn.host === "" || !URL.canParse(url)) {
      throw new TypeError("the URL of an adapter must be https://host:port/path");
    }
    return { address: new URL(url).origin, create: (deps) => createAdapterProvider({ url, secret }, deps) };
  },
};

export function createAdapterProvider(
  options: AdapterOptions,
  { name, clock }: Pick<ProviderDependencies, "name" | "clock">,
): Provider {
  return {
    name,
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
      return adapterOutcome(answer, idempotencyKey);
    },
    callback: adapterCallback(options.secret, clock),
  };
}

function requestBody(message: CodeMessage, id: string, now: Date) {
  return {
    id,
    channel: message.channel,
    recipient: message.recipient,
    text: providerText(message, now),
    code: message.code,
    brand: message.brand,
    ...message.approval,
    locale: message.template?.locale ?? textsFor(message.locale).language,
    expires_at: message.expiresAt.toISOString(),
  };
}

/** Statuses that mean that the URL or the secret is wrong, not the message. */
const misconfigured: ReadonlySet<number> = new Set([401, 403, 404, 405, 407, 415]);

function adapterOutcome(answer: HttpAnswer, id: string): SendResult {
  if (answer.kind === "unanswered") {
    return unansweredResult(answer);
  }
  const { status, body, retryAfterMs } = answer;
  if (status >= 200 && status < 300) {
    const providerMessageId = messageIdOf(field(body, "message_id")) ?? id;
    const awaitsReceipt = field(body, "reports_delivery") === true;
    return { kind: "sent", providerMessageId, ...(awaitsReceipt ? { awaitsReceipt } : {}) };
  }
  const reason = `the provider answered ${status}${describeError(body)}`;
  if (status >= 400 && status < 500 && ![408, 409, 425, 429].includes(status) && !misconfigured.has(status)) {
    const undeliverable = field(body, "undeliverable") === true;
    return { kind: "failed", reason, provider: "works", ...(undeliverable ? { undeliverable } : {}) };
  }
  // 409: the adapter is still handling the same message, from an attempt that timed out here.
  const provider = status === 409 ? "works" : "fails";
  return { kind: "retry", reason, provider, ...(retryAfterMs === undefined ? {} : { afterMs: retryAfterMs }) };
}

function describeError(body: unknown): string {
  const error = adapterError(field(body, "error"));
  return error === undefined ? "" : ` (${error})`;
}
