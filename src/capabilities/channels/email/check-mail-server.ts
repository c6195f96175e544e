import SMTPConnection from "nodemailer/lib/smtp-connection";
import { isLoopbackHost } from "../../../config/loopback-host.ts";
import type { ProviderCheck } from "../provider-check.ts";
import { smtpConnection } from "./email.ts";
import { smtpOutcome } from "./smtp-outcome.ts";
import { parseSmtpUrl } from "./smtp-url.ts";

/** Connects to the mail server as a mail would, begins TLS and signs in, and hands over nothing. */
export async function checkMailServer(url: string): Promise<ProviderCheck> {
  const server = parseSmtpUrl(url);
  const place = `${server.host}:${server.port}`;
  const connection = new SMTPConnection(smtpConnection(server));
  try {
    await new Promise<void>((resolve, reject) => {
      const settle = (error?: Error | null) => (error ? reject(error) : resolve());
      connection.on("error", reject);
      connection.once("end", () => reject(new Error("the connection ended")));
      connection.connect((error) => {
        if (error || server.auth === undefined) {
          settle(error);
        } else {
          connection.login({ ...server.auth, credentials: server.auth }, settle);
        }
      });
    });
  } catch (error) {
    const outcome = smtpOutcome(error);
    return {
      verdict: "fault",
      found: `${place}: ${"reason" in outcome ? outcome.reason : "it cannot be used"}`,
      advice: "Correct SMTP_URL, or ask whoever runs the mail server",
    };
  } finally {
    connection.quit();
  }
  const signedIn = server.auth === undefined ? "no credentials are set" : "it takes the credentials";
  if (!connection.secure && !isLoopbackHost(server.host)) {
    return {
      verdict: "warning",
      found: `${place} can be reached without TLS; ${signedIn}`,
      advice: "Codes travel in the clear: use smtps://, or ?requireTLS=true if it offers STARTTLS",
    };
  }
  return { verdict: "ok", found: `${place} can be reached ${connection.secure ? "with" : "without"} TLS; ${signedIn}` };
}
