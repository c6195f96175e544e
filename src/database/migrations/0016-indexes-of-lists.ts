import { Migration } from "@mikro-orm/migrations";

/**
 * Secondary indexes cannot serve a look-up by id any more. On a table without statistics, as it is in the first minutes of a
 * database, those that begin with the workspace looked as good as the primary key, and were walked from end to end.
 */
export class IndexesOfLists extends Migration {
  /**
   * Each statement by itself: while an index is built, writes to its table wait, and nothing waits while one is dropped. Queries have the
   * old index until the new one is there. After a failure everything is run again.
   *
   * Not `CREATE INDEX CONCURRENTLY`: it waits for every statement that is older, and so for servers that wait for the migration lock.
   */
  override isTransactional(): boolean {
    return false;
  }

  override up(): void {
    this.addSql(list);
    this.addSql(ofRecipient);
    this.addSql(ofSubject);
    for (const old of ["verification_newest_first", "verification_by_recipient", "outbox_by_subject"]) {
      this.addSql(`DROP INDEX CONCURRENTLY IF EXISTS ${old}`);
    }
  }
}

/** Of use only to a query that names the predicate. */
const list = `
  CREATE INDEX IF NOT EXISTS verification_list ON verification (workspace_id, mode, created_at DESC, id DESC)
    WHERE created_at > '-infinity'`;

const ofRecipient =
  "CREATE INDEX IF NOT EXISTS verification_of_recipient ON verification (recipient_index, workspace_id, mode)";

const ofSubject = "CREATE INDEX IF NOT EXISTS outbox_of_subject ON outbox (subject_id, workspace_id, created_at)";
