import { Readable } from "node:stream";
import type { Transporter } from "nodemailer";
import * as base64 from "nodemailer/lib/base64";
import type MimeNode from "nodemailer/lib/mime-node";
import * as quotedPrintable from "nodemailer/lib/qp";

const lineLength = 76;

/**
 * Has a transport write each message in one piece. nodemailer writes it through a chain of streams for each of its parts, which takes about
 * half of the time that a mail takes. A message with anything but text in it is left to nodemailer. `onContent` is called when the content of a
 * message begins to be written.
 */
export function writeWhole(transport: Pick<Transporter, "use">, onContent: (messageId: string) => void): void {
  transport.use("stream", ({ message, data }, done) => {
    const whole = wholeMessage(message);
    const create = message.createReadStream.bind(message);
    message.createReadStream = (options) => {
      const stream = whole === undefined ? create(options) : Readable.from([whole], { objectMode: false });
      // It is read once the server has said that it takes the content (354).
      return stream.once("resume", () => onContent(data.messageId ?? ""));
    };
    done();
  });
}

/** What nodemailer writes of a compiled message. Undefined: it contains something else than text. */
export function wholeMessage(message: MimeNode): Buffer | undefined {
  const text = textOf(message);
  return text === undefined ? undefined : Buffer.from(text);
}

function textOf(node: MimeNode): string | undefined {
  // This also decides whether it is a multipart, and what its boundary is.
  const headers = `${node.buildHeaders()}\r\n\r\n`;
  if (node.multipart) {
    const parts = node.childNodes.map(textOf);
    return parts.includes(undefined)
      ? undefined
      : `${headers}${parts.map((part) => `--${node.boundary}\r\n${part}\r\n`).join("")}--${node.boundary}--\r\n`;
  }
  const { content } = node;
  if (typeof content !== "string") {
    return undefined;
  }
  switch (node.getTransferEncoding()) {
    case "7bit":
      return headers + content;
    case "quoted-printable":
      return headers + quotedPrintable.wrap(quotedPrintable.encode(content), lineLength);
    case "base64":
      return headers + base64.wrap(base64.encode(content), lineLength);
    default:
      return undefined;
  }
}
