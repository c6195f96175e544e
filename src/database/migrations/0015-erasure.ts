import { Migration } from "@mikro-orm/migrations";

/** What finds the rows of accounts that ended, and codes of ours that are of no use any more: `docs/decisions/0017-accounts-and-addresses.md`. */
export class Erasure extends Migration {
  /** A table is locked for its own index only. After a failure everything is run again. */
  override isTransactional(): boolean {
    return false;
  }

  override up(): void {
    this.addSql(
      "CREATE INDEX IF NOT EXISTS workspace_to_erase ON workspace (deactivated_at) WHERE deactivated_at IS NOT NULL",
    );
    this.addSql(
      "CREATE INDEX IF NOT EXISTS verification_of_server ON verification (created_at) WHERE starts_with(workspace_id, 'ws_byond/')",
    );
  }
}
