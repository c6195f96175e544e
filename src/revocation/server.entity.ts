import { defineEntity, p } from "@mikro-orm/core";

/**
 * The servers that may hold a lease, one row for each registration. Never UNLOGGED, never with an asynchronous commit: a
 * crash of PostgreSQL must not lose the row of a server that lives on.
 */
export const ServerEntity = defineEntity({
  name: "Server",
  tableName: "server",
  properties: {
    id: p.text().primary(),
    leaseMs: p.integer().check("lease_ms > 0"),
    appliedSeq: p.bigint("string"),
    /** Tells a revoker whether the server was heard of in between. */
    renewals: p.bigint("string").defaultRaw("0"),
    /** Ends a registration when PostgreSQL restarts or another takes its place. */
    databaseStartedAt: p.datetime(),
    /** To be read by people. */
    renewedAt: p.datetime(),
    /** The current one first. Null: nothing is written with a master secret (commands). */
    secretIds: p.array().nullable(),
  },
});
