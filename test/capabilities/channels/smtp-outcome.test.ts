import { expect, test } from "vitest";
import { smtpOutcome } from "../../../src/capabilities/channels/email/smtp-outcome.ts";

const retry = (reason: string, provider: "works" | "fails" | "unknown") => ({ kind: "retry", reason, provider });
const failed = (reason: string, provider: "works" | "unknown" = "works") => ({ kind: "failed", reason, provider });
const reply = (code: string, responseCode: number, command: string, text = "") => ({
  code,
  responseCode,
  command,
  response: `${responseCode} ${text}`,
  message: `Refused: ${responseCode} ${text}`,
});

test.each([
  [
    "a refused recipient",
    reply("EENVELOPE", 550, "RCPT TO", "5.1.1 <jane@example.com> unknown"),
    { ...failed("the mail server answered 550 5.1.1 to RCPT TO"), undeliverable: true },
  ],
  [
    "a domain that takes no mail, said of the content",
    reply("EMESSAGE", 556, "DATA", "5.1.10 null MX"),
    { ...failed("the mail server answered 556 5.1.10 to DATA"), undeliverable: true },
  ],
  [
    "a refused sender",
    reply("EENVELOPE", 550, "MAIL FROM", "5.1.1 no-reply@acme.example unknown"),
    failed("the mail server answered 550 5.1.1 to MAIL FROM"),
  ],
  [
    "a refused content",
    reply("EMESSAGE", 554, "DATA", "no 493817 here"),
    failed("the mail server answered 554 to DATA"),
  ],
  [
    "greylisting",
    reply("EENVELOPE", 451, "RCPT TO", "4.7.1 jane@example.com greylisted"),
    retry("the mail server answered 451 4.7.1 to RCPT TO", "works"),
  ],
  ["a full mailbox", reply("EMESSAGE", 452, "DATA"), retry("the mail server answered 452 to DATA", "works")],
  [
    "a session in the wrong state",
    reply("EENVELOPE", 503, "RCPT TO"),
    retry("the mail server answered 503 to RCPT TO", "works"),
  ],
  [
    "a server that shuts down",
    reply("EENVELOPE", 421, "MAIL FROM"),
    retry("the mail could not be handed over (421)", "fails"),
  ],
  [
    "refused credentials",
    reply("EAUTH", 535, "AUTH PLAIN", "5.7.8 no user jane"),
    retry("the mail server refused the credentials (535)", "fails"),
  ],
  [
    "no connection",
    { code: "ESOCKET", originalCode: "ECONNREFUSED" },
    retry("the mail server cannot be reached", "fails"),
  ],
  [
    "a certificate that cannot be verified",
    { code: "ESOCKET", originalCode: "CERT_HAS_EXPIRED" },
    retry("the mail server's certificate is not valid: CERT_HAS_EXPIRED", "fails"),
  ],
  [
    "a server that answers in the clear where TLS was to begin",
    { code: "ESOCKET", originalCode: "ERR_SSL_WRONG_VERSION_NUMBER" },
    retry("no TLS with the mail server: ERR_SSL_WRONG_VERSION_NUMBER", "fails"),
  ],
  [
    "a server that wants a certificate of ours",
    { code: "ESOCKET", originalCode: "ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED" },
    retry("no TLS with the mail server: ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED", "fails"),
  ],
  [
    "a code that is none",
    { code: "ESOCKET", originalCode: "ERR_SSL_ jane@example.com" },
    retry("the mail server cannot be reached", "fails"),
  ],
  ["a connection lost", { code: "ECONNECTION" }, retry("the mail server closed the connection", "fails")],
  ["silence", { code: "ETIMEDOUT" }, retry("the mail server did not answer in time", "fails")],
  ["garbage", { code: "EPROTOCOL", response: "jane" }, retry("the mail server does not speak SMTP", "fails")],
  [
    "an address SMTP cannot carry",
    { code: "EENVELOPE", command: "API" },
    failed("the mail cannot be sent over SMTP as it is addressed", "unknown"),
  ],
  ["something else", new Error("jane@example.com 493817"), retry("the mail could not be handed over", "unknown")],
  ["nothing", undefined, retry("the mail could not be handed over", "unknown")],
])("%s", (_name, error, outcome) => {
  expect(smtpOutcome(error)).toEqual(outcome);
  expect(JSON.stringify(smtpOutcome(error))).not.toMatch(/jane|493817/);
});

test.each(["5.1.0", "5.1.8", "5.2.1", "5.2.2", "5.7.1", "5.7.26"])(
  "%s does not say that there is no such mailbox",
  (status) => {
    expect(smtpOutcome(reply("EENVELOPE", 550, "RCPT TO", `${status} no`))).toEqual(
      failed(`the mail server answered 550 ${status} to RCPT TO`),
    );
  },
);
