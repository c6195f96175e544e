import { Migration } from "@mikro-orm/migrations";

/** What makes a revocation known to every server before it is answered: `docs/decisions/0007-revocation-leases.md`. */
export class Revocation extends Migration {
  override up(): void {
    this.addSql(servers);
    this.addSql(revocations);
  }
}

/**
 * The servers that may hold a lease, one row for each registration. Never UNLOGGED, never with an asynchronous commit: a
 * crash of PostgreSQL must not lose the row of a server that lives on.
 *
 * `renewals` tells a revoker whether the server was heard of in between. `database_started_at` ends a registration when
 * PostgreSQL restarts or another takes its place. `renewed_at` is there to be read by people.
 */
const servers = `
  CREATE TABLE server (
    id text PRIMARY KEY,
    lease_ms integer NOT NULL CHECK (lease_ms > 0),
    applied_seq bigint NOT NULL,
    renewals bigint NOT NULL DEFAULT 0,
    database_started_at timestamptz NOT NULL,
    renewed_at timestamptz NOT NULL
  ) WITH (fillfactor = 50)`;

/** Numbers are taken under an advisory lock that is held until the commit, so that their order is the commits' order. */
const revocations = `
  CREATE SEQUENCE revocation_seq;
  CREATE TABLE revocation (
    seq bigint PRIMARY KEY DEFAULT nextval('revocation_seq'),
    subject text NOT NULL,
    created_at timestamptz NOT NULL
  );
  ALTER SEQUENCE revocation_seq OWNED BY revocation.seq`;
