/** What a mail server reports of a mail (RFC 3464), as Postfix writes it. */
export interface ReportOptions {
  readonly messageId: string;
  readonly status?: string;
  readonly action?: string;
  /** The third part. `none`: the report does not bring the mail back. */
  readonly returned?: "message/rfc822" | "text/rfc822-headers" | "message/global-headers" | "none";
  readonly envelopeId?: string;
}

export function reportOf({
  messageId,
  status = "5.1.1",
  action = "failed",
  returned = "message/rfc822",
  envelopeId,
}: ReportOptions): string {
  const lines = [
    "Return-Path: <>",
    "Date: Thu, 26 Nov 2026 20:00:00 +0000 (UTC)",
    "From: MAILER-DAEMON@mail.example.com (Mail Delivery System)",
    "Subject: Undelivered Mail Returned to Sender",
    "To: bounces@acme.example",
    "Auto-Submitted: auto-replied",
    "MIME-Version: 1.0",
    "Content-Type: multipart/report; report-type=delivery-status;",
    '\tboundary="A1.1764187200/mail.example.com"',
    "",
    "This is a MIME-encapsulated message.",
    "",
    "--A1.1764187200/mail.example.com",
    "Content-Description: Notification",
    "Content-Type: text/plain; charset=us-ascii",
    "",
    "I'm sorry to have to inform you that your message could not be delivered.",
    "",
    "--A1.1764187200/mail.example.com",
    "Content-Description: Delivery report",
    "Content-Type: message/delivery-status",
    "",
    "Reporting-MTA: dns; mail.example.com",
    ...(envelopeId === undefined ? [] : [`Original-Envelope-Id: ${envelopeId}`]),
    "",
    "Final-Recipient: rfc822; gone@example.com",
    `Action: ${action}`,
    `Status: ${status}`,
    "Diagnostic-Code: smtp; 550 5.1.1 <gone@example.com>: Recipient address rejected:",
    "    User unknown",
    "",
    ...(returned === "none"
      ? []
      : [
          "--A1.1764187200/mail.example.com",
          "Content-Description: Undelivered Message",
          `Content-Type: ${returned}`,
          "",
          "From: Acme <no-reply@acme.example>",
          "Message-ID:",
          ` ${messageId}`,
          "Subject: Your Acme verification code",
          "",
          ...(returned === "message/rfc822" ? ["493817 is your code."] : []),
          "",
        ]),
    "--A1.1764187200/mail.example.com--",
    "",
  ];
  return lines.join("\r\n");
}
