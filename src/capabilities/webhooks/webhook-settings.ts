import type { ServerFacts } from "../../capability.ts";
import type { EnvironmentReader } from "../../config/environment-reader.ts";
import { type SettingNames, settingGroup } from "../../config/setting-group.ts";
import type { DestinationRules } from "../../outgoing/allowed-destination.ts";
import { parseIpRange } from "../../server/ip-range.ts";

export interface WebhookSettings {
  readonly webhookDestinations: DestinationRules;
}

export const webhookSettings = settingGroup("Webhooks", {
  WEBHOOK_ALLOWED_NETWORKS: {
    default: "none",
    meaning:
      "Networks that webhooks may be sent to although they are not public, over `https`: `10.1.0.0/16,fd00:1::/32`. Every customer of this server can reach what is there.",
  },
});

export function readWebhookSettings(
  reader: EnvironmentReader<SettingNames<typeof webhookSettings>>,
  { isPublic, isEmbedded }: ServerFacts,
): WebhookSettings {
  const allowedNetworks = reader.list("WEBHOOK_ALLOWED_NETWORKS").flatMap((entry) => {
    const range = parseIpRange(entry);
    if (typeof range === "string") {
      reader.problems.push(`WEBHOOK_ALLOWED_NETWORKS: "${entry}" ${range}`);
      return [];
    }
    return [range];
  });
  // On a server that nobody else uses, the customer is the person at this machine.
  return { webhookDestinations: { allowedNetworks, allowsLoopback: isEmbedded && !isPublic } };
}
