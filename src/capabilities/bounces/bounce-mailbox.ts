import { ImapFlow } from "imapflow";
import type { Finding } from "../../finding.ts";
import { batchSize, maxReportBytes, reportDays, timeoutMs } from "./bounces.policy.ts";
import type { BounceMailboxAddress } from "./bounces-url.ts";
import { isDeliveryReport } from "./delivery-status.ts";

/** A connection to the mailbox, with its folder opened. It changes nothing but the flag `\Seen` of the reports that were recorded. */
export class BounceMailbox {
  readonly #client: ImapFlow;
  /** Of the folder, as it was opened. */
  readonly uidValidity: number;

  private constructor(client: ImapFlow, uidValidity: number) {
    this.#client = client;
    this.uidValidity = uidValidity;
  }

  /** Rejects if the mailbox cannot be opened; `mailboxProblem` says why. */
  static async open(address: BounceMailboxAddress): Promise<BounceMailbox> {
    const client = new ImapFlow({
      host: address.host,
      port: address.port,
      secure: address.secure,
      // Beyond this machine, the password is not sent in the clear.
      ...(address.secure || address.isLoopback ? {} : { doSTARTTLS: true }),
      auth: { user: address.user, pass: address.password },
      tls: { rejectUnauthorized: address.verifyCertificate },
      // The traffic has the password and what strangers wrote.
      logger: false,
      disableAutoIdle: true,
      connectionTimeout: timeoutMs.connect,
      greetingTimeout: timeoutMs.connect,
      socketTimeout: timeoutMs.answer,
      maxLiteralSize: 2 * maxReportBytes,
    });
    // Also told to whoever waits for an answer.
    client.on("error", () => undefined);
    try {
      await client.connect();
      const { uidValidity } = await client.mailboxOpen(address.folder);
      return new BounceMailbox(client, Number(uidValidity));
    } catch (error) {
      client.close();
      throw error;
    }
  }

  get isOpen(): boolean {
    return this.#client.usable;
  }

  /** The numbers of the mails after this one that may be reports, in batches: neither larger than a report nor older. */
  async newMails(afterUid: number, now: Date): Promise<readonly (readonly number[])[]> {
    const since = new Date(now.getTime() - reportDays * 86_400_000);
    const found = await this.#client.search(
      { uid: `${afterUid + 1}:*`, smaller: maxReportBytes, since },
      { uid: true },
    );
    // `n:*` has the newest mail even if its number is below n.
    const uids = (found || []).filter((uid) => uid > afterUid).toSorted((a, b) => a - b);
    const count = Math.ceil(uids.length / batchSize);
    return Array.from({ length: count }, (_, index) => uids.slice(index * batchSize, (index + 1) * batchSize));
  }

  /** Those of the mails whose header says that they are reports. */
  async reportsAmong(uids: readonly number[]): Promise<readonly number[]> {
    const reports: number[] = [];
    const range = uids.join(",");
    for await (const { uid, headers } of this.#client.fetch(range, { headers: ["content-type"] }, { uid: true })) {
      const contentType = (headers?.toString("latin1") ?? "")
        .replace(/\r\n[ \t]+/g, " ")
        .replace(/^content-type:/i, "");
      if (isDeliveryReport(contentType)) {
        reports.push(uid);
      }
    }
    return reports;
  }

  /** The mail. Undefined if it is gone. */
  async source(uid: number): Promise<Uint8Array | undefined> {
    const mail = await this.#client.fetchOne(
      `${uid}`,
      { source: { start: 0, maxLength: maxReportBytes } },
      { uid: true },
    );
    return mail === false ? undefined : mail.source;
  }

  async markAsSeen(uids: readonly number[]): Promise<void> {
    await this.#client.messageFlagsAdd(uids.join(","), ["\\Seen"], { uid: true });
  }

  /** Takes a while at most, whatever the server does. */
  close(): void {
    this.#client.close();
  }
}

/** Opens the mailbox as the server does, and reads nothing. */
export async function checkMailbox(address: BounceMailboxAddress): Promise<Finding> {
  const about = "bounces";
  const place = `${address.host}:${address.port}`;
  try {
    const mailbox = await BounceMailbox.open(address);
    mailbox.close();
    return { about, verdict: "ok", found: `the mailbox at ${place} can be opened` };
  } catch (error) {
    const advice = "Correct BOUNCES_URL, or ask whoever runs the mail server";
    return { about, verdict: "fault", found: `${place}: ${mailboxProblem(error).reason}`, advice };
  }
}

/** Why a mailbox cannot be read, in our words: what the server says may hold anything. */
export function mailboxProblem(error: unknown): { readonly reason: string; readonly isRefusal: boolean } {
  const failure: Readonly<Record<string, unknown>> =
    typeof error === "object" && error !== null ? { ...error, name: undefined } : {};
  const code = typeof failure.code === "string" && /^[A-Za-z0-9_]{1,60}$/.test(failure.code) ? failure.code : undefined;
  if (failure.authenticationFailed === true) {
    return { reason: "the mailbox refused the credentials", isRefusal: true };
  }
  if (failure.mailboxMissing === true || failure.responseStatus === "NO") {
    return { reason: "the mailbox does not have the folder, or does not open it", isRefusal: true };
  }
  return { reason: `the mailbox cannot be read${code === undefined ? "" : `: ${code}`}`, isRefusal: false };
}
