import { defineEntity, p } from "@mikro-orm/core";

/**
 * The servers that may hold a lease, one row for each registration. Never UNLOGGED, and never written with an asynchronous commit:
 * a crash of PostgreSQL must not lose the row of a server that keeps running.
 */
export const ServerEntity = defineEntity({
  name: "Server",
  tableName: "server",
  properties: {
    id: p.text().primary(),
    leaseMs: p.integer().check("lease_ms > 0"),
    appliedSeq: p.bigint("string"),
    /** By this a revoker sees whether the server has renewed since. */
    renewals: p.bigint("string").defaultRaw("0"),
    /** Ends the registration when PostgreSQL restarts, or is replaced by a standby. */
    databaseStartedAt: p.datetime(),
    /** For the operator. */
    renewedAt: p.datetime(),
    /** The current one first. Null: the process seals nothing, as commands do not. */
    secretIds: p.array().nullable(),
    /** `ServerDescription`, for the operator. Null: an earlier version, or a process that serves nobody. */
    description: p.json().nullable(),
    /** How far PostgreSQL's clock was ahead of the server's at the renewal before the last, at least. For the operator. */
    clockOffsetMs: p.integer().nullable(),
  },
});
