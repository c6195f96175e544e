import { defineEntity, p } from "@mikro-orm/core";

/** A session is alive while its `tokenRevision` is its account's. */
export const SessionEntity = defineEntity({
  name: "Session",
  tableName: "session",
  properties: {
    workspaceId: p.text().primary(),
    id: p.text().primary(),
    accountId: p.text(),
    tokenRevision: p.integer(),
    /** Of the refresh token. */
    refreshHash: p.blob(),
    /** Of the last refresh tokens before it, oldest first. */
    spentHashes: p.array().columnType("bytea[]").defaultRaw("'{}'"),
    /** When each of those was spent. */
    spentAt: p.array().columnType("timestamptz[]").defaultRaw("'{}'"),
    createdAt: p.datetime(),
    refreshedAt: p.datetime(),
    expiresAt: p.datetime(),
  },
  // Changes with a refresh, every quarter of an hour at most, and not with a call.
  indexes: [{ name: "session_oldest_first", properties: "expiresAt" }],
});
