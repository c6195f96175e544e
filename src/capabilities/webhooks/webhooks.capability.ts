import { WebhookService } from "../../../gen/byond/v1/webhook_pb.ts";
import { type Capability, Offer } from "../../capability.ts";
import type { DestinationRules } from "../../outgoing/allowed-destination.ts";
import { customerPoster } from "../../outgoing/post-to-customer.ts";
import { bindService } from "../../rpc/router.ts";
import type { AccountOwners } from "../accounts/accounts.capability.ts";
import { type Channels, laneOf } from "../channels/channels.ts";
import type { Events } from "../events/events.capability.ts";
import { DisabledMailSender } from "./disabled-mail.ts";
import { listenCommand } from "./listen-command.ts";
import { renderEventWith } from "./render-event.ts";
import { DeliverySender } from "./send-delivery.ts";
import { webhookFieldChecks, webhookService } from "./webhook.rpc.ts";
import { webhookDeliverySweep } from "./webhook-deliveries.ts";
import { WebhookDeliveryEntity } from "./webhook-delivery.entity.ts";
import { WebhookEndpointEntity } from "./webhook-endpoint.entity.ts";
import { WebhookSecretEntity } from "./webhook-secret.entity.ts";
import { sealedWebhookSecrets } from "./webhook-secrets.ts";
import { readWebhookSettings, type WebhookSettings, webhookSettings } from "./webhook-settings.ts";
import { deliveryKind, disabledMailKind, laneGroup, places } from "./webhooks.policy.ts";
import { Webhooks0001 } from "./webhooks-0001.migration.ts";

interface Needs {
  readonly channels: Offer<Channels>;
  readonly events: Offer<Events>;
  readonly owners: Offer<AccountOwners>;
}

/** Webhooks: endpoints of workspaces, to which events are sent. */
export function webhooksCapability(needs: Needs) {
  const destinations = new Offer<DestinationRules>("webhooks");
  const capability: Capability<WebhookSettings> = {
    name: "webhooks",
    scopes: ["webhooks"],
    entities: [WebhookEndpointEntity, WebhookSecretEntity, WebhookDeliveryEntity],
    migrations: [{ name: "webhooks-0001", class: Webhooks0001 }],
    // Secrets are deleted with their endpoint, by the foreign key.
    workspaceTables: { webhook_endpoint: "mode, created_at DESC, id DESC", webhook_delivery: "id" },
    commands: { listen: listenCommand },
    settings: [webhookSettings],
    readSettings: readWebhookSettings,
    sealed: () => sealedWebhookSecrets,
    start({ database, clock, keyring, events, url }, { webhookDestinations: rules }) {
      const channels = needs.channels.value;
      destinations.give(rules);
      const post = customerPoster({ rules });
      return {
        services: [
          {
            binding: bindService(WebhookService, webhookService({ database, clock, keyring, post })),
            fieldChecks: webhookFieldChecks(rules),
          },
        ],
        senders: {
          [deliveryKind]: new DeliverySender({
            database,
            clock,
            keyring,
            post,
            render: renderEventWith(needs.events.value.messages),
            mailLane: channels.hasProvider("email") ? laneOf("email", "live") : null,
            onDisabled: () => events.committed(),
          }),
          [disabledMailKind]: new DisabledMailSender({ database, channels, owners: needs.owners.value, url }),
        },
        laneGroups: { [laneGroup]: places },
        sweeps: [webhookDeliverySweep({ database })],
      };
    },
  };
  /** Where requests to URLs of customers may go. */
  return { ...capability, destinations };
}
