import type { SendResult } from "../../../outbox/send-result.ts";
import { isUndeliverableStatus } from "./undeliverable-status.ts";

/** What nodemailer tells of a failure. The server's words (`response`, `message`) may name the recipient: not used. */
interface SmtpFailure {
  readonly code?: unknown;
  readonly originalCode?: unknown;
  readonly responseCode?: unknown;
  readonly command?: unknown;
  readonly response?: unknown;
}

/** Failures of ours or of the settings that no other message would fare better with. */
const reasons: Readonly<Record<string, string>> = {
  ECONNECTION: "the mail server closed the connection",
  ETIMEDOUT: "the mail server did not answer in time",
  ESOCKET: "the mail server cannot be reached",
  EDNS: "the mail server's name cannot be resolved",
  ETLS: "no TLS with the mail server",
  EPROTOCOL: "the mail server does not speak SMTP",
  EAUTH: "the mail server refused the credentials",
  ENOAUTH: "the mail server wants credentials",
  EOAUTH2: "the mail server refused the credentials",
};

/** Stages that concern this message alone: its sender and recipient, its content. */
const messageStages = /^(MAIL FROM|RCPT TO|DATA|BDAT)/;

/**
 * What a failure at handing over a mail means: refused for good (5xx), to be tried again (4xx and everything without an
 * answer), and whether the mail server as such is in trouble. A mail whose content was written, and not answered, may have been taken.
 */
export function smtpOutcome(error: unknown, isContentWritten = false): SendResult {
  const failure: SmtpFailure = typeof error === "object" && error !== null ? error : {};
  const code = typeof failure.code === "string" ? failure.code : "";
  const status = typeof failure.responseCode === "number" ? failure.responseCode : undefined;
  const isAboutMessage = code === "EENVELOPE" || code === "EMESSAGE";
  if (isAboutMessage && status === undefined) {
    return { kind: "failed", reason: "the mail cannot be sent over SMTP as it is addressed", provider: "unknown" };
  }
  if (status === undefined || !isAboutMessage || status === 421) {
    const reason = tlsReason(failure.originalCode) ?? reasons[code] ?? "the mail could not be handed over";
    // Without an answer and without a code of the connection it may be an error of ours.
    return status === undefined
      ? {
          kind: "retry",
          reason,
          provider: code in reasons ? "fails" : "unknown",
          ...(isContentWritten ? { mayBeSent: true } : {}),
        }
      : { kind: "retry", reason: `${reason} (${status})`, provider: "fails" };
  }
  const enhanced = enhancedStatus(failure.response);
  const stage = stageOf(failure.command);
  const reply = enhanced === undefined ? String(status) : `${status} ${enhanced}`;
  const reason = `the mail server answered ${reply}${stage === undefined ? "" : ` to ${stage}`}`;
  // 503 says that the session was in the wrong state, not that the message was refused.
  if (status < 500 || status === 503) {
    return { kind: "retry", reason, provider: "works" };
  }
  // At MAIL FROM it is the sender's address that is wrong.
  const isUndeliverable = enhanced !== undefined && isUndeliverableStatus(enhanced) && stage !== "MAIL FROM";
  return { kind: "failed", reason, provider: "works", ...(isUndeliverable ? { undeliverable: true } : {}) };
}

/** Node's codes for what can be wrong with a certificate, and OpenSSL's for what is no TLS. Undefined for others. */
function tlsReason(code: unknown): string | undefined {
  if (typeof code !== "string" || !/^[A-Z0-9_]+$/.test(code)) {
    return undefined;
  }
  return /^(?!ERR_SSL_).*(CERT|SIGNATURE|HOSTNAME_MISMATCH)/.test(code)
    ? `the mail server's certificate is not valid: ${code}`
    : /^(ERR_SSL_|ERR_TLS_|EPROTO$)/.test(code)
      ? `no TLS with the mail server: ${code}`
      : undefined;
}

/** The enhanced status code (RFC 3463), where the server gives one. It is made of digits only. */
function enhancedStatus(response: unknown): string | undefined {
  return typeof response === "string" ? /^\d{3}[ -]([245]\.\d{1,3}\.\d{1,3})\b/.exec(response)?.[1] : undefined;
}

function stageOf(command: unknown): string | undefined {
  return typeof command === "string" ? messageStages.exec(command)?.[1] : undefined;
}
