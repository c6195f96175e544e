import type { SendOptions, SendResult } from "../../../outbox/send-result.ts";
import { readApiUrl } from "../api-url.ts";
import { field, getJson, type HttpAnswer, postForm } from "../http/http-post.ts";
import type { CodeMessage } from "../outgoing-message.ts";
import { checkTimeoutMs, judgeAnswer, type ProviderCheck } from "../provider-check.ts";
import type { Provider, ProviderDependencies, ProviderKind } from "../provider-kind.ts";
import { callText, providerText } from "../provider-text.ts";
import { countSegments } from "../sms-text/segments.ts";
import { readSenders, type Senders, senderFor } from "../sms-text/senders.ts";
import { twilioCallback } from "./twilio-callback.ts";
import { twilioOutcome } from "./twilio-outcome.ts";
import { twilioVoices } from "./twilio-voices.ts";

export interface TwilioOptions {
  /** Such as `https://api.twilio.com`. */
  readonly apiUrl: string;
  readonly accountSid: string;
  readonly authToken: string;
  readonly senders: Senders;
  /** A messaging service, which chooses the sender where `senders` has none. */
  readonly serviceSid?: string | undefined;
  /** How long an answer may take. Default 10 s. */
  readonly timeoutMs?: number;
}

/** Text messages over Twilio's Messages API, and calls over its Calls API (twilio.com/docs). */
export const twilioKind: ProviderKind = {
  name: "twilio",
  schemes: ["twilio"],
  channels: ["sms", "voice"],
  facts: {
    dsn: "`twilio://SID:TOKEN@?from=+15550100`",
    reports: "text messages and calls, with `PUBLIC_URL`",
    signature: "`X-Twilio-Signature`: HMAC-SHA1 with the account's token, over the public address and the form",
    finalState: "`delivered` or `failed`; without `PUBLIC_URL` `sent`. A call is delivered when it is answered",
  },
  configure(dsn, { channel }) {
    const { user: accountSid, password: authToken, parameters } = dsn;
    if (accountSid === undefined || !/^AC[0-9a-f]{32}$/.test(accountSid) || !authToken) {
      throw new TypeError("twilio must have the account's SID and token: twilio://SID:TOKEN@?from=+15550100");
    }
    if (dsn.host + dsn.path !== "") {
      throw new TypeError("twilio must have neither a host nor a path: twilio://SID:TOKEN@?from=+15550100");
    }
    const serviceSid =
      channel === "sms"
        ? parameters.takeForm("service", /^MG[0-9a-f]{32}$/, "the SID of a messaging service (MG…)")
        : undefined;
    const senders = readSenders(parameters, channel, { isRequired: serviceSid === undefined });
    const apiUrl = readApiUrl(parameters, "https://api.twilio.com");
    const options = { apiUrl, accountSid, authToken, senders, serviceSid };
    return {
      address: new URL(apiUrl).host,
      reportsToPublicUrl: true,
      check: () => checkTwilio(options),
      create: (deps) => createTwilioProvider(options, deps),
    };
  },
};

function createTwilioProvider(
  options: TwilioOptions,
  { name, clock, callbackUrl }: Pick<ProviderDependencies, "name" | "clock" | "callbackUrl">,
): Provider {
  const post = (resource: string, form: Readonly<Record<string, string>>, { signal }: SendOptions) =>
    postForm({
      url: `${options.apiUrl}/2010-04-01/Accounts/${options.accountSid}/${resource}.json`,
      headers: { Authorization: `Basic ${basic(options)}` },
      form: { ...form, ...(callbackUrl === undefined ? {} : { StatusCallback: callbackUrl }) },
      signal,
      timeoutMs: options.timeoutMs ?? 10_000,
    });
  return {
    name,
    async send(message, sendOptions) {
      const now = clock.now();
      const sender = senderFor(options.senders, message.recipient);
      const from = senderFields(sender, options.serviceSid);
      if (from === undefined) {
        return { kind: "failed", reason: "no sender is set for the country", provider: "unknown", elsewhere: true };
      }
      const to = { To: message.recipient, ...from };
      const isCall = message.channel === "voice";
      const text = isCall ? "" : providerText(message, now);
      const answer: HttpAnswer = isCall
        ? await post("Calls", { ...to, Twiml: twiml(message, now) }, sendOptions)
        : await post("Messages", { ...to, ...messageFields(message, text, now) }, sendOptions);
      const outcome: SendResult = twilioOutcome(answer);
      return outcome.kind === "sent"
        ? {
            ...outcome,
            ...(callbackUrl === undefined ? {} : { awaitsReceipt: true }),
            ...(isCall ? {} : { segments: countSegments(text) }),
          }
        : outcome;
    },
    // The signature covers the public address.
    ...(callbackUrl === undefined ? {} : { callback: twilioCallback(options.authToken, clock) }),
  };
}

/** Reads the account (twilio.com/docs/iam/api/account). */
async function checkTwilio(options: TwilioOptions): Promise<ProviderCheck> {
  const answer = await getJson({
    url: `${options.apiUrl}/2010-04-01/Accounts/${options.accountSid}.json`,
    headers: { Authorization: `Basic ${basic(options)}` },
    timeoutMs: checkTimeoutMs,
  });
  const status = answer.kind === "answered" ? field(answer.body, "status") : undefined;
  return status === "suspended" || status === "closed"
    ? { verdict: "fault", found: `the account is ${status}`, advice: "Ask Twilio why" }
    : judgeAnswer(answer);
}

function basic({ accountSid, authToken }: TwilioOptions): string {
  return Buffer.from(`${accountSid}:${authToken}`).toString("base64");
}

function senderFields(sender: string | undefined, serviceSid: string | undefined) {
  if (sender !== undefined) {
    return { From: sender };
  }
  return serviceSid === undefined ? undefined : { MessagingServiceSid: serviceSid };
}

/** A message that could not be sent until its code expires is of no use: Twilio drops it then. */
function messageFields({ expiresAt }: CodeMessage, text: string, now: Date) {
  const seconds = Math.ceil((expiresAt.getTime() - now.getTime()) / 1_000);
  return { Body: text, ValidityPeriod: String(Math.min(36_000, Math.max(1, seconds))) };
}

/** The instructions for the call: it reads the text, which has the code digit by digit and twice. */
function twiml(message: CodeMessage, now: Date): string {
  const { text, voice } = callText(message, now, twilioVoices);
  const named = voice.voice === undefined ? "" : ` voice="${voice.voice}"`;
  return `<Response><Say language="${voice.language}"${named}>${escapeXml(text)}</Say></Response>`;
}

function escapeXml(text: string): string {
  const escapes: Readonly<Record<string, string>> = {
    "&": "&amp;",
    "<": "&lt;",
    ">": "&gt;",
    '"': "&quot;",
    "'": "&apos;",
  };
  return text.replace(/[&<>"']/g, (character) => escapes[character] ?? "");
}
