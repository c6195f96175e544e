import { Migration } from "@mikro-orm/migrations";

/** What finds the rows of accounts that ended, and codes of ours that are of no use any more: `docs/decisions/0017-accounts-and-addresses.md`. */
export class Erasure extends Migration {
  override up(): void {
    this.addSql("CREATE INDEX workspace_to_erase ON workspace (deactivated_at) WHERE deactivated_at IS NOT NULL");
    this.addSql(
      "CREATE INDEX verification_of_server ON verification (created_at) WHERE starts_with(workspace_id, 'ws_byond/')",
    );
  }
}
