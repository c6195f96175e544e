import PostalMime, { type Attachment } from "postal-mime";
import { parseMailReference } from "../channels/email/mail-reference.ts";
import { isUndeliverableStatus } from "../channels/email/undeliverable-status.ts";
import { maxPartLines, maxReportBytes } from "./bounces.policy.ts";
import type { Bounce } from "./record-bounce.ts";

/** Whether a mail with this `Content-Type` is a delivery status notification (RFC 3464 §2). */
export function isDeliveryReport(contentType: string): boolean {
  return /^\s*multipart\/report\b/i.test(contentType) && /\breport-type\s*=\s*"?delivery-status\b/i.test(contentType);
}

/** Anybody can send a mail to the mailbox: more levels or headers than a report has are refused. */
const limits = { maxNestingDepth: 8, maxHeadersSize: 65_536, forceRfc822Attachments: true } as const;

/**
 * Reads a delivery status notification (RFC 3464, and RFC 6533 for internationalised ones) about a mail of ours. Undefined: it is something
 * else, it is about a mail of another program, or the mail is only delayed, was delivered or relayed.
 */
export async function readDeliveryStatus(source: Uint8Array): Promise<Bounce | undefined> {
  if (source.length > maxReportBytes || countPartLines(source) > maxPartLines) {
    return undefined;
  }
  const report = await PostalMime.parse(source, limits).catch(() => undefined);
  const contentType = report?.headers.find(({ key }) => key === "content-type")?.value ?? "";
  if (report === undefined || !isDeliveryReport(contentType)) {
    return undefined;
  }
  const status = textOf(report.attachments, /^message\/(global-)?delivery-status$/);
  const original = textOf(report.attachments, /^(message\/(rfc822|global|global-headers)|text\/rfc822-headers)$/);
  if (status === undefined) {
    return undefined;
  }
  const [ofMessage = "", ...ofRecipients] = status.split(/\r?\n[ \t]*\r?\n/);
  const failed = ofRecipients.find((fields) => /^failed\b/i.test(fieldOf(fields, "Action") ?? ""));
  const mail =
    parseMailReference(fieldOf(headOf(original ?? ""), "Message-ID") ?? "") ??
    parseMailReference(fieldOf(ofMessage, "Original-Envelope-Id") ?? "");
  if (failed === undefined || mail === undefined) {
    return undefined;
  }
  const code = codeOf(failed);
  return {
    mail,
    reason: `the email came back${code === undefined ? "" : `: ${code}`}`,
    isUndeliverable: code !== undefined && isUndeliverableStatus(code),
  };
}

/**
 * The status (RFC 3463) of a recipient. Exim always writes 5.0.0: then the one in the answer of the server that refused the mail, if that is
 * of the same class.
 */
function codeOf(fields: string): string | undefined {
  const code = /^([245]\.\d{1,3}\.\d{1,3})\b/.exec(fieldOf(fields, "Status") ?? "")?.[1];
  const answered = /^smtp\s*;\s*\d{3}[ -]([245]\.\d{1,3}\.\d{1,3})\b/i.exec(
    fieldOf(fields, "Diagnostic-Code") ?? "",
  )?.[1];
  return code?.endsWith(".0.0") && answered?.[0] === code[0] ? answered : code;
}

/** Lines that begin with `--`, as those between the parts do. */
function countPartLines(source: Uint8Array): number {
  return Buffer.from(source.buffer, source.byteOffset, source.length).toString("latin1").split(/\n--/).length - 1;
}

/** The first attachment of a type. Undefined unless there is one. */
function textOf(attachments: readonly Attachment[], type: RegExp): string | undefined {
  const content = attachments.find(({ mimeType }) => type.test(mimeType.toLowerCase()))?.content;
  return content === undefined || typeof content === "string" ? content : new TextDecoder().decode(content);
}

const headOf = (message: string) => message.split(/\r?\n\r?\n/, 1)[0] ?? "";

/** The value of a field, unfolded. */
function fieldOf(fields: string, name: string): string | undefined {
  const unfolded = fields.replace(/\r?\n[ \t]+/g, " ");
  for (const line of unfolded.split(/\r?\n/)) {
    const colon = line.indexOf(":");
    if (colon > 0 && line.slice(0, colon).trim().toLowerCase() === name.toLowerCase()) {
      return line.slice(colon + 1).trim();
    }
  }
  return undefined;
}
