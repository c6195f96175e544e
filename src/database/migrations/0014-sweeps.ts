import { Migration } from "@mikro-orm/migrations";

/** What servers share the work of removing by, and what finds sessions that are over: `docs/decisions/0023-sweeps.md`. */
export class Sweeps extends Migration {
  override up(): void {
    this.addSql(rounds);
    this.addSql(sessions);
  }
}

/** When the next round of each sweep is due. Whoever moves it on does the round. */
const rounds = `
  CREATE TABLE sweep (
    name text PRIMARY KEY,
    next_at timestamptz NOT NULL
  )`;

/** Changes with a refresh, every quarter of an hour at most, and not with a call. */
const sessions = "CREATE INDEX session_oldest_first ON session (expires_at)";
