import { defineEntity, p } from "@mikro-orm/core";

/** Every attempt to send a message, with its outcome. One claim of a message makes one attempt at most. */
export const DeliveryAttemptEntity = defineEntity({
  name: "DeliveryAttempt",
  tableName: "delivery_attempt",
  properties: {
    workspaceId: p.text().primary(),
    subjectId: p.text().primary(),
    outboxId: p.text().primary(),
    claim: p.integer().primary(),
    lane: p.text(),
    /** First by the worker (`sent`, `retried`, `failed`), later by the receipts of a provider (`delivered`, `read`, `failed`). */
    state: p.enum(["sent", "retried", "failed", "delivered", "read"]),
    /** The provider that the attempt was made with, by its name. Null: none was asked, or an older server recorded it. */
    provider: p.text().nullable(),
    providerMessageId: p.text().nullable(),
    /** The provider accepted the message and will report its delivery. */
    awaitsReceipt: p.boolean().default(false),
    /** Parts that the text message was sent in. */
    segments: p.integer().nullable(),
    error: p.text().nullable(),
    /** The recipient cannot receive messages of the channel. */
    undeliverable: p.boolean().default(false),
    startedAt: p.datetime(),
    finishedAt: p.datetime(),
    deliveredAt: p.datetime().nullable(),
    readAt: p.datetime().nullable(),
    failedAt: p.datetime().nullable(),
  },
  indexes: [
    {
      name: "delivery_attempt_receipt",
      properties: "providerMessageId",
      where: "lane IN ('sms', 'voice', 'whatsapp') AND provider_message_id IS NOT NULL",
    },
  ],
});
