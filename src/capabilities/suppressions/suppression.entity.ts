import { defineEntity, p } from "@mikro-orm/core";
import { channelNames } from "../channels/outgoing-message.ts";

/** Recipients that cannot receive messages of a channel, as a provider or a mail server has said of a message with a code. */
export const SuppressionEntity = defineEntity({
  name: "Suppression",
  tableName: "suppression",
  properties: {
    workspaceId: p.text().primary(),
    id: p.text().primary(),
    mode: p.enum(["live", "test"]),
    channel: p.enum([...channelNames]),
    /** The exact index of the recipient, under the master secret that was current when its verification was started. */
    recipientIndex: p.text(),
    /** As the verification has it: only with its id, and whether it was its second recipient, can it be unsealed. */
    recipientSealed: p.blob(),
    verificationId: p.text(),
    isSecond: p.boolean(),
    /** In our words. It names no recipient. */
    reason: p.text(),
    createdAt: p.datetime(),
  },
  uniques: [{ name: "suppression_of_recipient", properties: ["recipientIndex", "workspaceId", "mode", "channel"] }],
  indexes: [
    {
      name: "suppression_list",
      properties: ["workspaceId", "mode", "channel", "createdAt", "id"],
      where: "created_at > '-infinity'",
    },
  ],
});
