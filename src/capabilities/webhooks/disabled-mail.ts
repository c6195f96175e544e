import type { QueryableTables } from "../../database/database.ts";
import type { OutboxItem, OutboxSender } from "../../outbox/outbox.ts";
import type { SendResult } from "../../outbox/send-result.ts";
import type { AccountOwners } from "../accounts/accounts.capability.ts";
import type { Channels } from "../channels/channels.ts";
import { renderWebhookDisabled } from "../channels/texts/server-mails.ts";
import type { WebhookTables } from "./webhook-tables.ts";

interface Dependencies {
  readonly database: QueryableTables;
  readonly channels: Pick<Channels, "sendMail">;
  readonly owners: AccountOwners;
  readonly url: () => string;
}

/** Tells the owner of a workspace that an endpoint was disabled, unless it is enabled again or deleted meanwhile. */
export class DisabledMailSender implements OutboxSender {
  readonly #deps: Dependencies;

  constructor(deps: Dependencies) {
    this.#deps = deps;
  }

  async send(item: OutboxItem, signal: AbortSignal): Promise<SendResult> {
    const { database, channels, owners, url } = this.#deps;
    const [endpoint] = await database.query((tables: WebhookTables) =>
      tables
        .selectFrom("webhook_endpoint")
        .select(["id", "url", "disabledReason"])
        .where("id", "=", item.subjectId)
        .where("enabled", "=", false),
    );
    const owner = endpoint && (await owners.emailOf(item.workspaceId));
    if (endpoint === undefined || owner === undefined) {
      return { kind: "withdrawn", reason: "the webhook is enabled again or deleted, or the workspace has no owner" };
    }
    const mail = renderWebhookDisabled({
      id: endpoint.id,
      endpointUrl: endpoint.url,
      isGone: endpoint.disabledReason === "gone",
      url: url(),
    });
    return channels.sendMail(owner, mail, { idempotencyKey: item.id, signal });
  }
}
