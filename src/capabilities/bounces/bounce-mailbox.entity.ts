import { defineEntity, p } from "@mikro-orm/core";

/** How far a mailbox of bounces was read, and the server that reads it until `claimedUntil`. */
export const BounceMailboxEntity = defineEntity({
  name: "BounceMailbox",
  tableName: "bounce_mailbox",
  properties: {
    /** User, host, port and folder. */
    mailbox: p.text().primary(),
    /** The numbers of the mails are those of this one (RFC 9051 §2.3.1.1). Null: nothing was read. */
    uidValidity: p.bigint().nullable(),
    lastUid: p.bigint().default(0),
    serverId: p.text(),
    claimedUntil: p.datetime(),
  },
});
