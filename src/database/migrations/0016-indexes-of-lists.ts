import { Migration } from "@mikro-orm/migrations";

/**
 * Secondary indexes cannot serve a look-up by id any more. On a table without statistics, as it is in the first minutes of a
 * database, those that begin with the workspace looked as good as the primary key, and were walked from end to end.
 */
export class IndexesOfLists extends Migration {
  override up(): void {
    this.addSql("DROP INDEX verification_newest_first, verification_by_recipient, outbox_by_subject");
    this.addSql(newestFirst);
    this.addSql(byRecipient);
    this.addSql(bySubject);
  }
}

/** Of use only to a query that names the predicate. */
const newestFirst = `
  CREATE INDEX verification_newest_first ON verification (workspace_id, mode, created_at DESC, id DESC)
    WHERE created_at > '-infinity'`;

const byRecipient = "CREATE INDEX verification_by_recipient ON verification (recipient_index, workspace_id, mode)";

const bySubject = "CREATE INDEX outbox_by_subject ON outbox (subject_id, workspace_id, created_at)";
