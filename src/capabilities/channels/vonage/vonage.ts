import { createPrivateKey, type KeyObject, randomUUID } from "node:crypto";
import { SignJWT } from "jose";
import type { SendResult } from "../../../outbox/send-result.ts";
import { readApiUrl } from "../api-url.ts";
import { resultOf } from "../error-meaning.ts";
import { field, type HttpAnswer, messageIdOf, postJson, unansweredResult } from "../http/http-post.ts";
import type { CodeMessage } from "../outgoing-message.ts";
import type { Provider, ProviderCallback, ProviderDependencies, ProviderKind } from "../provider-kind.ts";
import { callText, providerText } from "../provider-text.ts";
import { countSegments } from "../sms-text/segments.ts";
import { readSenders, type Senders, senderFor } from "../sms-text/senders.ts";
import { vonageErrorCode, vonageMeaning, vonageStatusMeaning } from "./vonage-errors.ts";
import { vonageReport } from "./vonage-report.ts";
import { isSignedByVonage } from "./vonage-signature.ts";
import { vonageVoices } from "./vonage-voices.ts";

interface VonageOptions {
  /** Such as `https://api.nexmo.com`. */
  readonly apiUrl: string;
  readonly applicationId: string;
  readonly privateKey: KeyObject;
  readonly senders: Senders;
  /** Signs the reports. Undefined: none are asked for. */
  readonly signatureSecret: string | undefined;
}

/** Vonage's Messages API and Voice API, with the credentials of one application. */
export const vonageKind: ProviderKind = {
  name: "vonage",
  schemes: ["vonage"],
  channels: ["sms", "voice"],
  facts: {
    dsn: "`vonage://APPLICATION_ID:PRIVATE_KEY@?from=ACME&signature_secret=…`",
    reports: "text messages and calls, with `signature_secret` and `PUBLIC_URL`",
    signature: "`Authorization`: a JWT (HS256) with the signature secret, which has the hash of the body",
    finalState: "`delivered` or `failed`; without reports `sent`. A call is delivered when it is answered",
  },
  configure(dsn, { channel }) {
    const { user: applicationId, password, host } = dsn;
    if (
      !/^[0-9a-f-]{36}$/i.test(applicationId ?? "") ||
      applicationId === undefined ||
      password === undefined ||
      host !== ""
    ) {
      throw new TypeError(
        "it must have the id of an application and its private key: vonage://APPLICATION_ID:PRIVATE_KEY@?from=ACME",
      );
    }
    const options = {
      apiUrl: readApiUrl(dsn.parameters, "https://api.nexmo.com"),
      applicationId,
      privateKey: readPrivateKey(password),
      senders: readSenders(dsn.parameters, channel),
      signatureSecret: dsn.parameters.take("signature_secret"),
    };
    return {
      address: new URL(options.apiUrl).host,
      reportsToPublicUrl: options.signatureSecret !== undefined,
      create: (deps) => createVonageProvider(options, deps),
    };
  },
};

/** The file that Vonage gives with an application, in base64url. */
function readPrivateKey(password: string): KeyObject {
  try {
    const key = createPrivateKey(Buffer.from(password, "base64url"));
    if (key.asymmetricKeyType === "rsa") {
      return key;
    }
  } catch {
    // The error may quote the key.
  }
  throw new TypeError(
    "its password must be the application's private key, in base64url: basenc --base64url -w0 private.key",
  );
}

function createVonageProvider(options: VonageOptions, deps: ProviderDependencies): Provider {
  const { name, channel, clock, callbackUrl } = deps;
  const { signatureSecret } = options;
  const reportUrl = signatureSecret === undefined ? undefined : callbackUrl;
  const request = channel === "voice" ? callRequest : messageRequest;
  const provider: Provider = {
    name,
    async send(message, { idempotencyKey, signal }) {
      const now = clock.now();
      const sender = senderFor(options.senders, message.recipient);
      if (sender === undefined) {
        return { kind: "failed", reason: "no sender is set for the country", provider: "unknown", elsewhere: true };
      }
      const { path, body, segments } = request({ message, sender, reportUrl, reference: idempotencyKey, now });
      const answer = await postJson({
        url: options.apiUrl + path,
        headers: { Authorization: `Bearer ${await applicationToken(options, now)}` },
        body: JSON.stringify(body),
        signal,
        timeoutMs: 10_000,
      });
      const result = vonageOutcome(answer);
      return result.kind === "sent"
        ? {
            ...result,
            ...(reportUrl === undefined ? {} : { awaitsReceipt: true }),
            ...(segments === undefined ? {} : { segments }),
          }
        : result;
    },
  };
  return signatureSecret === undefined ? provider : { ...provider, callback: vonageCallback(signatureSecret, clock) };
}

/** Valid for long enough to arrive; Vonage's own libraries give it a quarter of an hour. */
function applicationToken({ applicationId, privateKey }: VonageOptions, now: Date): Promise<string> {
  const issuedAtS = Math.floor(now.getTime() / 1_000);
  return new SignJWT({ application_id: applicationId })
    .setProtectedHeader({ alg: "RS256", typ: "JWT" })
    .setJti(randomUUID())
    .setIssuedAt(issuedAtS)
    .setExpirationTime(issuedAtS + 900)
    .sign(privateKey);
}

interface RequestParts {
  readonly message: CodeMessage;
  readonly sender: string;
  readonly reportUrl: string | undefined;
  readonly reference: string;
  readonly now: Date;
}

interface VonageRequest {
  readonly path: string;
  readonly body: object;
  /** Of a text message. */
  readonly segments?: number;
}

/** Vonage writes numbers without a plus sign. */
const withoutPlus = (number: string) => number.replace(/^\+/, "");

/** The Messages API drops a message that it has not delivered after this many seconds. */
const timeToLiveS = { min: 20, max: 604_800 } as const;

function messageRequest({ message, sender, reportUrl, reference, now }: RequestParts): VonageRequest {
  const text = providerText(message, now);
  const secondsLeft = Math.ceil((message.expiresAt.getTime() - now.getTime()) / 1_000);
  return {
    path: "/v1/messages",
    segments: countSegments(text),
    body: {
      message_type: "text",
      channel: "sms",
      to: withoutPlus(message.recipient),
      from: withoutPlus(sender),
      text,
      ttl: Math.min(timeToLiveS.max, Math.max(timeToLiveS.min, secondsLeft)),
      client_ref: reference,
      ...(reportUrl === undefined ? {} : { webhook_url: reportUrl, webhook_version: "v1" }),
    },
  };
}

function callRequest({ message, sender, reportUrl, now }: RequestParts): VonageRequest {
  const { text, voice } = callText(message, now, vonageVoices);
  return {
    path: "/v1/calls",
    body: {
      to: [{ type: "phone", number: withoutPlus(message.recipient) }],
      from: { type: "phone", number: withoutPlus(sender) },
      ncco: [{ action: "talk", text, language: voice }],
      ...(reportUrl === undefined ? {} : { event_url: [reportUrl], event_method: "POST" }),
    },
  };
}

function vonageOutcome(answer: HttpAnswer): SendResult {
  if (answer.kind === "unanswered") {
    return unansweredResult(answer);
  }
  const { status, body, retryAfterMs } = answer;
  const messageId = messageIdOf(field(body, "message_uuid")) ?? messageIdOf(field(body, "uuid"));
  if (status >= 200 && status < 300 && messageId !== undefined) {
    return { kind: "sent", providerMessageId: messageId };
  }
  const code = vonageErrorCode(body);
  const meaning = vonageMeaning(code);
  const detail = meaning === undefined ? String(status) : `${status}, ${code}`;
  return resultOf(meaning ?? vonageStatusMeaning(status), detail, retryAfterMs);
}

function vonageCallback(signatureSecret: string, clock: ProviderDependencies["clock"]): ProviderCallback {
  return async ({ header, body }) => {
    if (!(await isSignedByVonage(header("authorization"), body, signatureSecret, clock.now()))) {
      return { kind: "unsigned" };
    }
    const event = parseJson(body);
    if (event === undefined) {
      return { kind: "unreadable" };
    }
    const report = vonageReport(event);
    return { kind: "receipts", receipts: report === undefined ? [] : [report] };
  };
}

function parseJson(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString("utf8"));
  } catch {
    return undefined;
  }
}
