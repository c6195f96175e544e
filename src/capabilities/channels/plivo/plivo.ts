import type { SendResult } from "../../../outbox/send-result.ts";
import { parseWholeNumber } from "../../../text/numbering-plans.ts";
import { readApiUrl } from "../api-url.ts";
import { readCallbackForm } from "../callback-form.ts";
import { resultOf } from "../error-meaning.ts";
import { field, getJson, type HttpAnswer, items, messageIdOf, postJson, unansweredResult } from "../http/http-post.ts";
import type { CodeMessage } from "../outgoing-message.ts";
import { checkTimeoutMs, judgeAnswer, type ProviderCheck } from "../provider-check.ts";
import type { Provider, ProviderCallback, ProviderDependencies, ProviderKind } from "../provider-kind.ts";
import { callText, providerText } from "../provider-text.ts";
import { countSegments } from "../sms-text/segments.ts";
import { readSenders, type Senders, senderFor } from "../sms-text/senders.ts";
import { hangUpXml, PlivoAnswers, speakXml } from "./plivo-answer.ts";
import { plivoStatusMeaning } from "./plivo-errors.ts";
import { plivoReport } from "./plivo-report.ts";
import { plivoSignatureVersion } from "./plivo-signature.ts";
import { plivoVoices } from "./plivo-voices.ts";

interface PlivoOptions {
  /** Such as `https://api.plivo.com`. */
  readonly apiUrl: string;
  readonly authId: string;
  readonly authToken: string;
  readonly senders: Senders;
}

/** Plivo's Messages API and Voice API. */
export const plivoKind: ProviderKind = {
  name: "plivo",
  schemes: ["plivo"],
  channels: ["sms", "voice"],
  facts: {
    dsn: "`plivo://AUTH_ID:AUTH_TOKEN@?from=+15550100`",
    reports: "text messages (not in the US and Canada) and calls, with `PUBLIC_URL`; calls need it",
    signature:
      "`X-Plivo-Signature-V3`: HMAC-SHA256 with the auth token, over the public address and the form; of text messages `V2`, over the address only",
    finalState: "`delivered` or `failed`; without reports `sent`. A call is delivered when it is answered",
  },
  configure(dsn, { channel }) {
    const { user: authId, password: authToken, host } = dsn;
    if (authId === undefined || !/^\w{1,64}$/.test(authId) || !authToken || host !== "") {
      throw new TypeError(
        "it must have the auth id and the auth token of an account: plivo://AUTH_ID:AUTH_TOKEN@?from=+15550100",
      );
    }
    const options = {
      apiUrl: readApiUrl(dsn.parameters, "https://api.plivo.com"),
      authId,
      authToken,
      senders: readSenders(dsn.parameters, channel),
    };
    return {
      address: new URL(options.apiUrl).host,
      reportsToPublicUrl: true,
      check: () => checkPlivo(options),
      create: (deps) => createPlivoProvider(options, deps),
    };
  },
};

function accountOf({ apiUrl, authId, authToken }: PlivoOptions) {
  return {
    url: `${apiUrl}/v1/Account/${encodeURIComponent(authId)}`,
    authorization: `Basic ${Buffer.from(`${authId}:${authToken}`).toString("base64")}`,
  };
}

/** Reads the account (plivo.com/docs, "Retrieve account details"). */
async function checkPlivo(options: PlivoOptions): Promise<ProviderCheck> {
  const { url, authorization } = accountOf(options);
  const headers = { Authorization: authorization };
  return judgeAnswer(await getJson({ url: `${url}/`, headers, timeoutMs: checkTimeoutMs }));
}

function createPlivoProvider(options: PlivoOptions, deps: ProviderDependencies): Provider {
  const { name, channel, clock, callbackUrl, logger } = deps;
  if (channel === "voice" && callbackUrl === undefined) {
    logger.warn("provider_needs_public_url", { lane: channel, provider: name });
  }
  const answers = new PlivoAnswers(options.authToken);
  const { url: account, authorization } = accountOf(options);
  const post = (path: string, body: object, signal: AbortSignal) =>
    postJson({
      url: account + path,
      headers: { Authorization: authorization },
      body: JSON.stringify(body),
      signal,
      timeoutMs: 10_000,
    });
  const provider: Provider = {
    name,
    async send(message, { signal }) {
      const now = clock.now();
      const sender = senderFor(options.senders, message.recipient);
      if (sender === undefined) {
        return { kind: "failed", reason: "no sender is set for the country", provider: "unknown", elsewhere: true };
      }
      if (channel === "sms") {
        const text = providerText(message, now);
        const request = messageRequest({ message, sender, text, callbackUrl, now });
        const result = plivoOutcome(await post("/Message/", request, signal));
        const isReported = callbackUrl !== undefined && reportsDeliveryTo(message.recipient);
        return result.kind === "sent"
          ? { ...result, ...(isReported ? { awaitsReceipt: true } : {}), segments: countSegments(text) }
          : result;
      }
      if (callbackUrl === undefined) {
        return { kind: "failed", reason: "calls over Plivo need PUBLIC_URL", provider: "unknown", elsewhere: true };
      }
      const sealed = await answers.seal(callText(message, now, plivoVoices), message.expiresAt);
      const request = callRequest({ message, sender, callbackUrl, sealed });
      const result = plivoOutcome(await post("/Call/", request, signal));
      return result.kind === "sent" ? { ...result, awaitsReceipt: true } : result;
    },
  };
  return callbackUrl === undefined
    ? provider
    : { ...provider, callback: plivoCallback(options.authToken, answers, deps) };
}

/** Carriers of these countries report no deliveries to Plivo ("What are the different SMS statuses"): `sent` is the last that it says. */
const withoutReports: ReadonlySet<string> = new Set(["US", "CA"]);

function reportsDeliveryTo(recipient: string): boolean {
  return !withoutReports.has(parseWholeNumber(recipient)?.country ?? "");
}

/** Plivo drops a message that waited for longer than this many seconds. */
const messageExpiryS = { min: 5, max: 10_799 } as const;

interface MessageParts {
  readonly message: CodeMessage;
  readonly sender: string;
  readonly text: string;
  readonly callbackUrl: string | undefined;
  readonly now: Date;
}

function messageRequest({ message, sender, text, callbackUrl, now }: MessageParts) {
  const secondsLeft = Math.ceil((message.expiresAt.getTime() - now.getTime()) / 1_000);
  return {
    src: sender,
    dst: message.recipient,
    text,
    type: "sms",
    message_expiry: Math.min(messageExpiryS.max, Math.max(messageExpiryS.min, secondsLeft)),
    ...(callbackUrl === undefined ? {} : { url: callbackUrl, method: "POST" }),
  };
}

/** The query parameter with the words of a call. */
const saying = "say";

interface CallParts {
  readonly message: CodeMessage;
  readonly sender: string;
  readonly callbackUrl: string;
  readonly sealed: string;
}

function callRequest({ message, sender, callbackUrl, sealed }: CallParts) {
  return {
    from: sender,
    to: message.recipient,
    answer_url: `${callbackUrl}?${saying}=${sealed}`,
    answer_method: "POST",
    hangup_url: callbackUrl,
    hangup_method: "POST",
  };
}

function plivoOutcome(answer: HttpAnswer): SendResult {
  if (answer.kind === "unanswered") {
    return unansweredResult(answer);
  }
  const { status, body, retryAfterMs } = answer;
  if (status >= 200 && status < 300) {
    const messageId = messageIdOf(items(field(body, "message_uuid"))[0]) ?? messageIdOf(field(body, "request_uuid"));
    if (messageId !== undefined) {
      return { kind: "sent", providerMessageId: messageId };
    }
    if (items(field(body, "invalid_number")).length > 0) {
      return resultOf({ reason: "Plivo does not know the number", effect: "undeliverable" }, String(status));
    }
  }
  return resultOf(plivoStatusMeaning(status), String(status), retryAfterMs);
}

function plivoCallback(
  authToken: string,
  answers: PlivoAnswers,
  { channel, clock, record }: ProviderDependencies,
): ProviderCallback {
  return async ({ url, query, header, body }) => {
    const form = readCallbackForm(body);
    const version = form && plivoSignatureVersion({ url: new URL(url), form, header }, authToken);
    // Version 2 does not cover the body: it is only known of text messages.
    if (form === undefined || version === undefined || (version === "v2" && channel === "voice")) {
      return { kind: "unsigned" };
    }
    const now = clock.now();
    const sealed = query.get(saying);
    if (sealed !== null) {
      const speech = await answers.open(sealed, now);
      const answered = speech === undefined ? undefined : plivoReport(form, now);
      if (answered !== undefined) {
        // A call is answered even if its message is not recorded yet, or the database is away: its end is reported, too.
        await record([{ ...answered, state: "delivered", error: null }]).catch(() => undefined);
      }
      const xml = speech === undefined ? hangUpXml : speakXml(speech);
      return { kind: "receipts", receipts: [], answer: { contentType: "application/xml", body: xml } };
    }
    const report = plivoReport(form, now);
    return { kind: "receipts", receipts: report === undefined ? [] : [report] };
  };
}
