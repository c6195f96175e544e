/** What `npm run check` refuses of migrations. */
import { Migration } from "@mikro-orm/migrations";
import { describe, expect, test } from "vitest";
import {
  findChanges,
  hashOf,
  isSquawkHere,
  lint,
  type MigrationText,
  readMigration,
} from "../../scripts/check-migrations.ts";

function migrationOf(sql: string, changes: Partial<MigrationText> = {}): MigrationText {
  return { name: "verify-0002", sql, isTransactional: true, ...changes };
}

describe.runIf(isSquawkHere)("statements that hold up those who use a table are refused", () => {
  test.each([
    ["CREATE INDEX slow ON verification (brand);", "require-concurrent-index-creation"],
    ["DROP INDEX verification_list;", "require-concurrent-index-deletion"],
    ["ALTER TABLE verification ADD COLUMN random uuid DEFAULT gen_random_uuid();", "adding-field-with-default"],
    ["ALTER TABLE verification ALTER COLUMN locale SET NOT NULL;", "adding-not-nullable-field"],
    ["ALTER TABLE verification ALTER COLUMN sends TYPE integer;", "changing-column-type"],
    ["ALTER TABLE verification ADD CONSTRAINT few CHECK (sends < 9);", "constraint-missing-not-valid"],
    ["ALTER TABLE verification ADD CONSTRAINT own UNIQUE (secret_id);", "disallowed-unique-constraint"],
    ["ALTER TABLE session ADD FOREIGN KEY (account_id) REFERENCES account;", "adding-foreign-key-constraint"],
    ["ALTER TABLE verification DROP COLUMN brand;", "ban-drop-column"],
    ["ALTER TABLE verification RENAME COLUMN brand TO name;", "renaming-column"],
  ])("%s", (sql, rule) => {
    expect(lint(migrationOf(sql)).join("\n")).toContain(rule);
  });

  test("others pass", () => {
    const sql =
      "ALTER TABLE verification ADD COLUMN note text; ALTER TABLE verification ADD COLUMN more text NOT NULL DEFAULT '';";
    expect(lint(migrationOf(sql))).toEqual([]);
    expect(lint(migrationOf("CREATE TABLE note (id text); CREATE INDEX of_note ON note (id);"))).toEqual([]);
    const isTransactional = false;
    expect(lint(migrationOf("CREATE INDEX CONCURRENTLY fast ON verification (brand);", { isTransactional }))).toEqual(
      [],
    );
  });

  test("unless the migration says why", () => {
    const ignored = "-- squawk-ignore require-concurrent-index-creation\nCREATE INDEX small ON sweep (next_at);";
    expect(lint(migrationOf(`-- It has a row a sweep.\n${ignored}`))).toEqual([]);
    expect(lint(migrationOf(ignored))).toEqual([expect.stringContaining("has to say why")]);
  });
});

describe("released migrations are kept", () => {
  const [one, two, three] = ["one", "two", "three"].map((name) => migrationOf(`SELECT '${name}';\n`, { name })) as [
    MigrationText,
    MigrationText,
    MigrationText,
  ];
  const released = [one, two].map(hashOf);

  test("as they were, with others after and between them", () => {
    expect(findChanges(released, [one, two])).toEqual([]);
    expect(findChanges(released, [one, three, two])).toEqual([]);
  });

  test("neither changed nor removed nor moved", () => {
    expect(findChanges(released, [{ ...one, sql: "SELECT 2;" }, two])).toEqual(["one was released, and is changed"]);
    expect(findChanges(released, [two])).toEqual(["one was released, and is gone"]);
    expect(findChanges(released, [two, one])).toEqual(["released migrations are in another order"]);
  });

  test("comments of the code do not count: the hash is of the SQL", async () => {
    class Noted extends Migration {
      override up(): void {
        // A note.
        this.addSql("SELECT 'one'");
      }
    }
    expect(hashOf(await readMigration({ name: "one", class: Noted }))).toEqual(released[0]);
  });
});
