/**
 * That a mailbox does not exist, as mail servers report it: what differs is the order and the case of fields, where the status stands, how parts
 * are nested, and how the mail is returned. The words are ours.
 */

/** A form: of a mail with this Message-ID, to this address. */
export type ReportForm = (messageId: string, recipient: string) => string;

/** The head of a report. `type`: the parameters of its content type. */
function head(type: string, from = "Mail Delivery System <MAILER-DAEMON@mail.example.com>"): string[] {
  return [
    "Return-Path: <>",
    "Date: Thu, 26 Nov 2026 20:00:00 +0000",
    `From: ${from}`,
    "To: bounces@acme.example",
    "Subject: Undelivered mail",
    "Message-ID: <report.1@mail.example.com>",
    "MIME-Version: 1.0",
    `Content-Type: multipart/report; ${type}`,
    "",
  ];
}

const text = (words: string) => ["Content-Type: text/plain; charset=us-ascii", "", words, ""];

const headerOf = (messageId: string) => [
  "Received: from byond by mail.example.com with ESMTPS; Thu, 26 Nov 2026 19:59:58 +0000",
  "From: Acme <no-reply@acme.example>",
  `Message-ID: ${messageId}`,
  "Subject: Your Acme verification code",
];

function parts(boundary: string, ...contents: readonly (readonly string[])[]): string[] {
  return [...contents.flatMap((content) => [`--${boundary}`, ...content]), `--${boundary}--`, ""];
}

const lines = (...all: readonly string[][]) => all.flat().join("\r\n");

export const reportForms: Readonly<Record<string, ReportForm>> = {
  /** RFC 3464, appendix E: comments in fields, an original recipient, several recipients of which one failed. */
  "RFC 3464": (messageId, recipient) =>
    lines(
      head('report-type=delivery-status; boundary="RAA14128.773615765/CS.UTK.EDU"'),
      parts(
        "RAA14128.773615765/CS.UTK.EDU",
        text("Some of your mail did not arrive."),
        [
          "content-type: message/delivery-status",
          "",
          "Reporting-MTA: dns; cs.example.edu",
          "",
          "Original-Recipient: rfc822;first@example.org",
          "Final-Recipient: rfc822;first@example.org",
          "Action: relayed",
          "Status: 2.0.0",
          "",
          `Original-Recipient: rfc822;${recipient}`,
          `Final-Recipient: rfc822;${recipient}`,
          "Action: failed",
          "Status: 5.1.1 (no such mailbox)",
          "Diagnostic-Code: smtp; 550 'no such user'",
          "",
        ],
        ["content-type: message/rfc822", "", ...headerOf(messageId), "", "493817 is your code.", ""],
      ),
    ),

  /** Fields of its own, continued lines, and the head of the mail alone. */
  Postfix: (messageId, recipient) =>
    lines(
      head('report-type=delivery-status;\r\n\tboundary="4F1C22A0.1764187200/mail.example.com"'),
      parts(
        "4F1C22A0.1764187200/mail.example.com",
        ["Content-Description: Notification", ...text("The mail system could not deliver your mail.")],
        [
          "Content-Description: Delivery report",
          "Content-Type: message/delivery-status",
          "",
          "Reporting-MTA: dns; mail.example.com",
          "X-Postfix-Queue-ID: 4F1C22A0",
          "X-Postfix-Sender: rfc822; bounces@acme.example",
          "Arrival-Date: Thu, 26 Nov 2026 19:59:58 +0000 (UTC)",
          "",
          `Final-Recipient: rfc822; ${recipient}`,
          `Original-Recipient: rfc822;${recipient}`,
          "Action: failed",
          "Status: 5.1.1",
          "Remote-MTA: dns; mx.example.com",
          "Diagnostic-Code: smtp; 550 5.1.1 Recipient address rejected: User",
          "    unknown",
          "",
        ],
        [
          "Content-Description: Undelivered Message Headers",
          "Content-Type: text/rfc822-headers",
          "",
          ...headerOf(messageId),
          "",
        ],
      ),
    ),

  /** The action comes first, and the status says nothing: what the other server answered is in the diagnostic code alone. */
  Exim: (messageId, recipient) =>
    lines(
      head(
        "report-type=delivery-status; boundary=1764187200-eximdsn-88362571",
        "Mail Delivery System <Mailer-Daemon@mail.example.com>",
      ),
      parts(
        "1764187200-eximdsn-88362571",
        text("A message that you sent could not be delivered."),
        [
          "Content-type: message/delivery-status",
          "",
          "Reporting-MTA: dns; mail.example.com",
          "",
          "Action: failed",
          `Final-Recipient: rfc822;${recipient}`,
          "Status: 5.0.0",
          "Remote-MTA: dns; mx.example.com",
          "Diagnostic-Code: smtp; 550-5.1.1 The account that you tried to reach does not exist.",
          " 550 5.1.1 Look for typing errors.",
          "",
        ],
        ["Content-type: message/rfc822", "", ...headerOf(messageId), "", "493817 is your code.", ""],
      ),
    ),

  /** Parts in parts, a folded recipient, a code of its own, and the mail with the head that Exchange added. */
  Exchange: (messageId, recipient) =>
    lines(
      head(
        'report-type=delivery-status;\r\n boundary="2bd5a8f2-6e21-4b5e-9a0a-0d8f6a0a4c11"',
        "postmaster@example.com",
      ),
      parts(
        "2bd5a8f2-6e21-4b5e-9a0a-0d8f6a0a4c11",
        [
          'Content-Type: multipart/alternative; differences=Content-Type;\r\n boundary="c2f4b6a0-1f5c-4a3d-8a51-5a1b7f0b9a22"',
          "",
          ...parts("c2f4b6a0-1f5c-4a3d-8a51-5a1b7f0b9a22", text("The address was not found."), [
            'Content-Type: text/html; charset="us-ascii"',
            "",
            "<p>The address was not found.</p>",
            "",
          ]),
        ],
        [
          "Content-Type: message/delivery-status",
          "",
          "Reporting-MTA: dns;EX01.example.com",
          "Received-From-MTA: dns;mail.acme.example",
          "Arrival-Date: Thu, 26 Nov 2026 19:59:58 +0000",
          "",
          "Final-recipient: RFC822;",
          ` ${recipient}`,
          "Action: failed",
          "Status: 5.1.10",
          "Diagnostic-Code: smtp;550 5.1.10 RESOLVER.ADR.RecipientNotFound; not found by SMTP address lookup",
          "X-Display-Name: Ada",
          "",
        ],
        [
          "Content-Type: message/rfc822",
          "",
          "X-MS-Exchange-Organization-SCL: -1",
          ...headerOf(messageId),
          "Content-Type: text/plain",
          "",
          "493817 is your code.",
          "",
        ],
      ),
    ),

  /** The type of the report comes last, and a picture with the words. */
  Gmail: (messageId, recipient) =>
    lines(
      head(
        'boundary="000000000000a1b2c305e6f7a8b9"; report-type=delivery-status',
        "Mail Delivery Subsystem <mailer-daemon@googlemail.com>",
      ),
      parts(
        "000000000000a1b2c305e6f7a8b9",
        [
          'Content-Type: multipart/related; boundary="000000000000a1b2d105e6f7a8c0"',
          "",
          ...parts(
            "000000000000a1b2d105e6f7a8c0",
            [
              'Content-Type: multipart/alternative; boundary="000000000000a1b2d905e6f7a8c1"',
              "",
              ...parts(
                "000000000000a1b2d905e6f7a8c1",
                ['Content-Type: text/plain; charset="UTF-8"', "", "** The address was not found **", ""],
                ['Content-Type: text/html; charset="UTF-8"', "", "<p>The address was not found.</p>", ""],
              ),
            ],
            [
              'Content-Type: image/png; name="icon.png"',
              "Content-Transfer-Encoding: base64",
              "Content-ID: <icon.png>",
              "",
              "iVBORw0KGgo=",
              "",
            ],
          ),
        ],
        [
          "Content-Type: message/delivery-status",
          "",
          "Reporting-MTA: dns; googlemail.com",
          "Received-From-MTA: dns; bounces@acme.example",
          "Arrival-Date: Thu, 26 Nov 2026 11:59:58 -0800 (PST)",
          `X-Original-Message-ID: ${messageId}`,
          "",
          `Final-Recipient: rfc822; ${recipient}`,
          "Action: failed",
          "Status: 5.1.1",
          "Remote-MTA: dns; mx.example.com. (192.0.2.1, the server for the domain example.com.)",
          "Diagnostic-Code: smtp; 550-5.1.1 The account that you tried to reach does not exist. Look for",
          " 550 5.1.1 typing errors. - gsmtp",
          "Last-Attempt-Date: Thu, 26 Nov 2026 11:59:59 -0800 (PST)",
          "",
        ],
        ["Content-Type: message/rfc822", "", ...headerOf(messageId), "", "493817 is your code.", ""],
      ),
    ),
};
