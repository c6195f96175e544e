import { createTransport } from "nodemailer";
import { encodeWord } from "nodemailer/lib/mime-funcs";
import type { Clock } from "../../../clock.ts";
import type { SendOptions, SendResult } from "../../../outbox/send-result.ts";
import type { Channel } from "../outgoing-message.ts";
import type { MailLogo } from "../own-texts/message-template.ts";
import { renderMail } from "../texts/mails.ts";
import type { RenderedMail } from "../texts/rendered-mail.ts";
import { formatMailReference } from "./mail-reference.ts";
import { smtpOutcome } from "./smtp-outcome.ts";
import { parseSmtpUrl, type SmtpServer } from "./smtp-url.ts";
import { needsSmtpUtf8, offersSmtpUtf8 } from "./smtp-utf8.ts";
import { writeWhole } from "./whole-message.ts";

export interface EmailOptions {
  /** As `parseSmtpUrl` reads it. */
  readonly url: string;
  /** Such as `Acme <no-reply@acme.example>`. */
  readonly from: string;
  /** The address for replies. Default: `from`. */
  readonly replyTo?: string;
  /** The envelope's sender: the address to which mail that cannot be delivered comes back. Default: `from`. */
  readonly bouncesTo?: string;
  /** The largest number of connections. */
  readonly maxConnections: number;
}

const connectTimeoutMs = 10_000;
const answerTimeoutMs = 30_000;
const idleTimeoutMs = 60_000;

const withoutSmtpUtf8 = "the mail server takes no addresses with letters beyond ASCII (it does not offer SMTPUTF8)";

/** Sends codes and other mail over SMTP. */
export interface MailChannel extends Channel {
  /** Makes one attempt, as `send` does. */
  sendMail(recipient: string, mail: RenderedMail, options: SendOptions): Promise<SendResult>;
}

/** Mail over SMTP, on connections that are kept open. Throws a `TypeError` if the URL cannot be used. */
export function createEmailChannel(options: EmailOptions, clock: Pick<Clock, "now">): MailChannel {
  const server = parseSmtpUrl(options.url);
  const connection = smtpConnection(server);
  const transport = createTransport({
    ...connection,
    pool: true,
    ...(server.auth === undefined ? {} : { auth: server.auth }),
    maxConnections: options.maxConnections,
    maxMessages: 1_000,
    // A kept connection that turns out to be closed is replaced at once; other failures are the worker's to repeat.
    maxRequeues: 1,
    idleTimeout: idleTimeoutMs,
    disableFileAccess: true,
    disableUrlAccess: true,
  });
  /** By Message-ID: mails whose content was written, wholly or in part, during the attempt that is being made. */
  const written = new Set<string>();
  writeWhole(transport, (messageId) => written.add(messageId));
  const senderDomain = domainOf(options.from);
  return {
    name: "smtp",
    send(message, options) {
      return this.sendMail(message.recipient, renderMail(message, clock.now()), options);
    },
    async sendMail(recipient, mail, { idempotencyKey, subjectId, signal }) {
      const reference =
        subjectId === undefined ? idempotencyKey : formatMailReference({ deliveryId: idempotencyKey, subjectId });
      const messageId = `<${reference}@${senderDomain}>`;
      try {
        const mailboxes = [options.from, options.replyTo ?? "", recipient];
        if (mailboxes.some(needsSmtpUtf8) && !(await offersSmtpUtf8(connection, signal))) {
          return { kind: "failed", reason: withoutSmtpUtf8, provider: "works" };
        }
        await transport.sendMail({
          from: options.from,
          ...(options.replyTo === undefined ? {} : { replyTo: options.replyTo }),
          // As an object: an address is never parsed into several.
          to: { name: "", address: recipient },
          subject: subjectOf(mail.subject),
          text: mail.text,
          html: mail.html,
          ...(mail.logo === undefined ? {} : { attachments: [attachedLogo(mail.logo)] }),
          // The same for every attempt, so that mailboxes can recognise a repetition.
          messageId,
          date: clock.now(),
          headers: {
            "Auto-Submitted": "auto-generated",
            "X-Auto-Response-Suppress": "All",
            // Different in every mail, so that Gmail does not put mails of one subject into a conversation, and fold the newest code away.
            "X-Entity-Ref-ID": idempotencyKey,
          },
          // A report says which mail it is about, and does not bring the code with it (RFC 3461). Servers without DSN are not asked.
          dsn: { id: reference, return: "headers", notify: "failure" },
          ...(options.bouncesTo === undefined
            ? {}
            : { envelope: { from: options.bouncesTo, to: { name: "", address: recipient } } }),
          signal,
        });
        return { kind: "sent", providerMessageId: messageId };
      } catch (error) {
        return smtpOutcome(error, written.has(messageId));
      } finally {
        written.delete(messageId);
      }
    },
    close: () => transport.close(),
  };
}

/** How a mail server is connected to. */
export function smtpConnection(server: SmtpServer) {
  return {
    host: server.host,
    port: server.port,
    secure: server.secure,
    requireTLS: server.requireTLS,
    ignoreTLS: server.ignoreTLS,
    tls: { rejectUnauthorized: server.verifyCertificate },
    connectionTimeout: connectTimeoutMs,
    greetingTimeout: connectTimeoutMs,
    dnsTimeout: connectTimeoutMs,
    socketTimeout: answerTimeoutMs,
    // The traffic holds codes.
    logger: false,
    debug: false,
  } as const;
}

/**
 * A subject that reads as it is written. nodemailer passes on what looks like an encoded word (RFC 2047), as if we had encoded it,
 * and mail programs would decode it: whoever chooses the brand would choose what is read. Encoded, it is decoded once.
 */
function subjectOf(subject: string): string {
  return subject.includes("=?") ? encodeWord(subject, "B", 52) : subject;
}

/** The logo as a part of the mail: nothing is loaded from elsewhere. */
function attachedLogo({ mediaType, bytes }: MailLogo) {
  return {
    cid: "logo",
    filename: mediaType === "image/png" ? "logo.png" : "logo.jpg",
    contentType: mediaType,
    contentDisposition: "inline",
    content: bytes,
  } as const;
}

/** The domain of `Acme <no-reply@acme.example>`, for message ids. */
function domainOf(from: string): string {
  return /@([^\s<>@]+?)>?\s*$/.exec(from)?.[1] ?? "localhost";
}
