import type { Queryable } from "../../database/database.ts";
import { statement, text } from "../../database/statement.ts";
import type { OutboxItem, OutboxSender } from "../../outbox/outbox.ts";
import type { SendResult } from "../../outbox/send-result.ts";
import type { Channels } from "../channels/channels.ts";
import { renderAccountEnding } from "../channels/texts/account-ending.ts";

/** The outbox's name for the mail that tells of an unverified account's end. */
export const accountEndingKind = "account_ending";

const readEnding = statement<{ email: string; endsAt: Date }>("read_ending_account")(
  { id: text },
  (p) => `SELECT email, ends_at FROM account WHERE id = ${p.id} AND ends_at > byond_now()`,
);

interface Dependencies {
  readonly database: Queryable;
  readonly channels: Pick<Channels, "sendMail">;
  /** The address that people know the server by. */
  readonly url: () => string;
}

/** Tells unverified accounts that they end, unless they were verified or have ended meanwhile. */
export class AccountEndingSender implements OutboxSender {
  readonly #deps: Dependencies;

  constructor(deps: Dependencies) {
    this.#deps = deps;
  }

  async send(item: OutboxItem, signal: AbortSignal): Promise<SendResult> {
    const { database, channels, url } = this.#deps;
    const [row] = await database.run(readEnding, { id: item.subjectId });
    return row === undefined
      ? { kind: "withdrawn", reason: "the account was verified or has ended" }
      : channels.sendMail(row.email, renderAccountEnding({ endsAt: row.endsAt, url: url() }), {
          idempotencyKey: item.id,
          signal,
        });
  }
}
