/** What is read from the reports of mail servers, and from what strangers send to the mailbox. */
import { expect, test } from "vitest";
import { isDeliveryReport, readDeliveryStatus } from "../../../src/capabilities/bounces/delivery-status.ts";
import { parseMailReference } from "../../../src/capabilities/channels/email/mail-reference.ts";
import { reportForms } from "./report-forms.ts";
import { type ReportOptions, reportOf } from "./reports.ts";

const mail = { deliveryId: "dlv_0VMbUVQzGmYq8sTz4KdXe2", subjectId: "vrf_0VMbUVQz3kZ9c1d4f7b21b" };
const reference = `${mail.deliveryId}.${mail.subjectId}`;
const messageId = `<${reference}@acme.example>`;
const read = (source: string) => readDeliveryStatus(Buffer.from(source));
const readReport = (options: Partial<ReportOptions> = {}) => read(reportOf({ messageId, ...options }));

test.each(["message/rfc822", "text/rfc822-headers", "message/global-headers"] as const)(
  "a report that brings the mail back as %s is one about that mail",
  async (returned) => {
    expect(await readReport({ returned })).toEqual({
      mail,
      reason: "the email came back: 5.1.1",
      isUndeliverable: true,
    });
  },
);

test.each(Object.entries(reportForms))("a report in the form of %s is read", async (name, form) => {
  expect(await read(form(messageId, "gone@example.com"))).toEqual({
    mail,
    reason: `the email came back: ${name === "Exchange" ? "5.1.10" : "5.1.1"}`,
    isUndeliverable: true,
  });
});

test.each([
  ["5.0.0", "smtp; 550 5.1.1 no such user", "5.1.1"],
  ["5.0.0", "SMTP;550-5.7.1 refused by policy", "5.7.1"],
  ["5.0.0", "smtp; 550 no such user, see 5.1.1", "5.0.0"],
  ["5.0.0", "x-unix; 550 5.1.1", "5.0.0"],
  ["5.0.0", "smtp; 450 4.2.1 later", "5.0.0"],
  ["5.2.2", "smtp; 550 5.1.1 no such user", "5.2.2"],
])("of the status %s and the diagnostic code %j, the code is %s", async (status, diagnostic, code) => {
  const source = reportOf({ messageId, status }).replace(/Diagnostic-Code:.*\r\n .*/, `Diagnostic-Code: ${diagnostic}`);
  expect(await read(source)).toMatchObject({ reason: `the email came back: ${code}` });
});

test("a report without the mail is found by the envelope's id", async () => {
  expect(await readReport({ returned: "none" })).toBeUndefined();
  expect(await readReport({ returned: "none", envelopeId: reference })).toMatchObject({ mail });
});

test.each([
  ["5.1.1", true],
  ["5.1.2", true],
  ["5.1.3", true],
  ["5.1.6", true],
  ["5.1.10", true],
  ["5.1.0", false],
  ["5.2.1", false],
  ["5.2.2", false],
  ["5.4.4", false],
  ["5.7.1", false],
  ["4.4.7", false],
  ["4.1.1", false],
])("a mail that failed with %s came back; that there is no such mailbox: %s", async (status, isUndeliverable) => {
  expect(await readReport({ status })).toEqual({ mail, reason: `the email came back: ${status}`, isUndeliverable });
});

test("a status that is none is not repeated", async () => {
  expect(await readReport({ status: "gone@example.com 493817" })).toEqual({
    mail,
    reason: "the email came back",
    isUndeliverable: false,
  });
});

test.each(["delayed", "delivered", "relayed", "expanded", ""])(
  "a mail that is %j did not come back",
  async (action) => {
    expect(await readReport({ action })).toBeUndefined();
  },
);

test.each([
  "<CAF1234@mail.gmail.com>",
  "<dlv_0VMbUVQzGmYq8sTz4KdXe2@acme.example>",
  "<dlv_1.vrf_2@acme.example>",
  `<x${reference}@acme.example>`,
  "",
])("a report about %j is about no mail of ours", async (other) => {
  expect(await readReport({ messageId: other })).toBeUndefined();
});

test("automatic replies and other mail are no reports", async () => {
  const vacation = reportOf({ messageId }).replace("multipart/report; report-type=delivery-status", "multipart/mixed");
  expect(await read(vacation)).toBeUndefined();
  expect(await read(`In-Reply-To: ${messageId}\r\n\r\nI am away.`)).toBeUndefined();
  expect(await read("")).toBeUndefined();
  for (const contentType of [
    "multipart/report; report-type=disposition-notification",
    "multipart/report; report-type=feedback-report",
    "text/plain; report-type=delivery-status",
  ]) {
    expect(isDeliveryReport(contentType)).toBe(false);
  }
  expect(isDeliveryReport('Multipart/Report; boundary=x; Report-Type = "Delivery-Status"')).toBe(true);
});

test.each([
  ["a thousand levels", nested(1_000)],
  [
    "ten thousand parts",
    `${reportOf({ messageId }).replace(/--A1\S+--/, "")}${"--A1.1764187200/mail.example.com\r\n\r\n\r\n".repeat(2_500)}`,
  ],
  [
    "an endless header",
    `Content-Type: multipart/report; report-type=delivery-status; x=${"x".repeat(100_000)}\r\n\r\n`,
  ],
  ["a status without an end", reportOf({ messageId }).slice(0, 900)],
  ["a mail that is too large", `${reportOf({ messageId })}${"x".repeat(131_072)}`],
])("%s cost a few milliseconds and are no bounce", async (_, source) => {
  const startedMs = performance.now();
  expect(await read(source)).toBeUndefined();
  expect(performance.now() - startedMs).toBeLessThan(200);
});

function nested(levels: number): string {
  const start = "Content-Type: multipart/report; report-type=delivery-status; boundary=b0\r\n\r\n";
  return (
    start +
    Array.from(
      { length: levels },
      (_, n) => `--b${n}\r\nContent-Type: multipart/mixed; boundary=b${n + 1}\r\n\r\n`,
    ).join("")
  );
}

test("a reference is read from what mail servers make of a Message-ID", () => {
  for (const text of [messageId, ` ${messageId} `, reference, `${reference}@acme.example`]) {
    expect(parseMailReference(text)).toEqual(mail);
  }
  for (const text of [`${messageId}, <b@c>`, `${reference}\0`, `${reference}@${"a".repeat(300)}`]) {
    expect(parseMailReference(text)).toBeUndefined();
  }
});
