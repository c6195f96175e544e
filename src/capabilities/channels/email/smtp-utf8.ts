import SMTPConnection, { type SMTPConnectionOptions } from "nodemailer/lib/smtp-connection";

/** Whether the local part of an address, alone or in angle brackets behind a name, has other characters than ASCII. */
export function needsSmtpUtf8(mailbox: string): boolean {
  return /\P{ASCII}[^\s<>@]*@/u.test(mailbox);
}

/**
 * Asks a mail server whether it takes such addresses; one that does not must not be given any (RFC 6531 §3.2), and nodemailer
 * gives it them all the same. On a connection of its own: of those that it sends over, nodemailer does not tell. Throws what
 * sending throws.
 */
export async function offersSmtpUtf8(options: SMTPConnectionOptions, signal: AbortSignal): Promise<boolean> {
  signal.throwIfAborted();
  const connection = new SMTPConnection(options);
  const abort = () => connection.close();
  signal.addEventListener("abort", abort, { once: true });
  try {
    return await new Promise((resolve, reject) => {
      connection.on("error", reject);
      connection.once("end", () => reject(new Error("the connection ended")));
      connection.connect((error) => {
        if (error) {
          reject(error);
        } else {
          // The last response is the one to EHLO, after STARTTLS where there was that.
          resolve(/^250[ -]SMTPUTF8\b/im.test(String(connection.lastServerResponse)));
        }
      });
    });
  } finally {
    signal.removeEventListener("abort", abort);
    connection.quit();
  }
}
