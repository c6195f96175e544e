import type { Clock } from "../../clock.ts";
import type { Queryable } from "../../database/database.ts";
import { AppError } from "../../errors.ts";
import type { EventLog } from "../../events/event-log.ts";
import type { Logger } from "../../observe/log.ts";
import { BounceMailbox, mailboxProblem } from "./bounce-mailbox.ts";
import { originOf } from "./bounce-settings.ts";
import { pollMs, retryMs } from "./bounces.policy.ts";
import type { BounceMailboxAddress } from "./bounces-url.ts";
import { readDeliveryStatus } from "./delivery-status.ts";
import { MailboxClaim, type ReadUntil } from "./mailbox-claim.ts";
import { recordBounce } from "./record-bounce.ts";

export interface BounceReaderOptions {
  readonly database: Queryable;
  readonly clock: Pick<Clock, "now">;
  readonly logger: Logger;
  readonly events: Pick<EventLog, "committed">;
  /** The name of this process among the servers. */
  readonly serverId: string;
  readonly address: BounceMailboxAddress;
}

/**
 * Reads the mailbox of bounces, on one server at a time. A bounce is recorded first, then it is noted how far the mailbox was read, then the
 * report is marked as seen: a crash in between has it read again, which changes nothing.
 *
 * States, and what `poll` does in each:
 *
 * - **apart**: another server has the claim. Asks for it.
 * - **reading**: it has the claim and a connection. Reads what is new.
 * - **failing**: the mailbox could not be read. Gives the claim up, in case another server has better luck, and waits for longer each time.
 */
export class BounceReader {
  readonly #options: BounceReaderOptions;
  readonly #claim: MailboxClaim;
  #mailbox: BounceMailbox | undefined;
  #timer: NodeJS.Timeout | undefined;
  #polling: Promise<void> | undefined;
  #isStopping = false;
  #failures = 0;
  #delayMs: number = pollMs;

  constructor(options: BounceReaderOptions) {
    const { host, port, user, folder } = options.address;
    this.#options = options;
    this.#claim = new MailboxClaim(options.database, `${user}@${host}:${port}/${folder}`, options.serverId);
  }

  /** Returns at once: a mailbox that is down keeps no server from starting. */
  start(): void {
    void this.poll();
  }

  /** Reads what is new, unless another server does. Never rejects. */
  poll(): Promise<void> {
    clearTimeout(this.#timer);
    this.#polling ??= this.#round().finally(() => {
      this.#polling = undefined;
      if (!this.#isStopping) {
        this.#timer = setTimeout(() => void this.poll(), this.#delayMs).unref();
      }
    });
    return this.#polling;
  }

  /** Ends the connection, and what is being read over it. Another server may read the mailbox at once. */
  async stop(): Promise<void> {
    this.#isStopping = true;
    clearTimeout(this.#timer);
    this.#mailbox?.close();
    await this.#polling;
    await this.#claim.release().catch(() => undefined);
  }

  async #round(): Promise<void> {
    const { address, logger } = this.#options;
    let until: ReadUntil | undefined;
    try {
      until = await this.#claim.take();
    } catch {
      // The database is away: the readiness of the server tells of it.
      return;
    }
    if (until === undefined) {
      this.#mailbox?.close();
      this.#mailbox = undefined;
      return;
    }
    try {
      if (this.#mailbox?.isOpen !== true) {
        this.#mailbox = await BounceMailbox.open(address);
      }
      await this.#readNew(this.#mailbox, until);
      this.#delayMs = pollMs;
      if (this.#failures > 0) {
        this.#failures = 0;
        logger.info("bounces_available", { mailbox: originOf(address) });
      }
    } catch (error) {
      await this.#failed(error);
    }
  }

  async #failed(error: unknown): Promise<void> {
    this.#mailbox?.close();
    this.#mailbox = undefined;
    // What the database answers with says nothing of the mailbox, and the readiness of the server tells of it.
    if (this.#isStopping || error instanceof AppError) {
      return;
    }
    const { reason, isRefusal } = mailboxProblem(error);
    this.#delayMs = isRefusal ? retryMs.longest : Math.min(retryMs.first * 2 ** this.#failures, retryMs.longest);
    this.#failures += 1;
    if (this.#failures === 1) {
      const { address, logger } = this.#options;
      logger.warn("bounces_unavailable", { mailbox: originOf(address), reason, retry_ms: this.#delayMs });
    }
    await this.#claim.release().catch(() => undefined);
  }

  async #readNew(mailbox: BounceMailbox, { uidValidity, lastUid }: ReadUntil): Promise<void> {
    const { clock, logger } = this.#options;
    // The numbers of another validity mean nothing.
    const afterUid = uidValidity === mailbox.uidValidity ? lastUid : 0;
    let count = 0;
    for (const uids of await mailbox.newMails(afterUid, clock.now())) {
      const { ours, recorded } = await this.#readBatch(mailbox, uids);
      count += recorded;
      const isOurs = await this.#claim.advance(mailbox.uidValidity, uids.at(-1) ?? afterUid);
      if (ours.length > 0) {
        await mailbox.markAsSeen(ours);
      }
      if (!isOurs || this.#isStopping) {
        break;
      }
    }
    if (count > 0) {
      logger.info("bounces_recorded", { count });
    }
  }

  /** Records the bounces among the mails. `ours`: the reports about mails of ours. */
  async #readBatch(mailbox: BounceMailbox, uids: readonly number[]) {
    const { database, events } = this.#options;
    const ours: number[] = [];
    let recorded = 0;
    for (const uid of await mailbox.reportsAmong(uids)) {
      const source = await mailbox.source(uid);
      const bounce = source && (await readDeliveryStatus(source));
      const outcome = bounce === undefined ? "unknown" : await recordBounce(database, bounce);
      if (outcome !== "unknown") {
        ours.push(uid);
      }
      if (outcome === "recorded") {
        recorded += 1;
        events.committed();
      }
    }
    return { ours, recorded };
  }
}
