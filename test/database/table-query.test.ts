/** Queries on the tables of entities: how columns are named, that values are bound, and that they run as statements do. */
import { MikroORM } from "@mikro-orm/postgresql";
import { sql } from "kysely";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { UsedSignatureEntity } from "../../src/access/used-signature.entity.ts";
import type { WorkspaceEntity } from "../../src/access/workspace.entity.ts";
import { whileClientWaits, withDeadline } from "../../src/database/call-deadline.ts";
import type { Database } from "../../src/database/database.ts";
import { compileQuery, type TablesOf } from "../../src/database/table-query.ts";
import { openTestDatabase, type TestConnection } from "../outbox/test-database.ts";
import { standardSchema } from "../support/schema.ts";

type Tables = TablesOf<typeof WorkspaceEntity | typeof UsedSignatureEntity>;

const createdAt = new Date("2026-06-15T09:40:00.123Z");
const workspace = {
  id: "ws_1",
  name: `O'Hara "$1" \\ ?`,
  tier: "scale",
  ipAllowlist: [`a'b"{,}`, "::/0"],
  createdAt,
  deactivatedAt: null,
} as const;

const row = { ...workspace, ipAllowlist: [...workspace.ipAllowlist] };
const insert = (tables: Tables) => tables.insertInto("workspace").values(row);
const read = (tables: Tables) =>
  tables.selectFrom("workspace").select(["id", "name", "tier", "ipAllowlist", "createdAt", "deactivatedAt"]);

describe("the text", () => {
  const orm = new MikroORM({ dbName: "none", entities: [...standardSchema.entities] });
  const kysely: Tables = orm.em.getConnection().getClient();

  test("holds no value", () => {
    const { text, values } = compileQuery(kysely, (tables: Tables) =>
      tables
        .updateTable("workspace")
        .set({ ipAllowlist: ["::/0"] })
        .where("deactivatedAt", "<", createdAt)
        .returning("id"),
    );
    expect(text).toBe('update "workspace" set "ip_allowlist" = $1 where "deactivated_at" < $2 returning "id"');
    expect(values).toEqual([["::/0"], createdAt]);
  });

  test("has every property of every entity as its column", () => {
    const entities = [...orm.getMetadata().getAll().values()];
    const columns = entities.flatMap(({ props }) =>
      props.map(({ name, fieldNames }) => ({ name, column: fieldNames[0] })),
    );
    const texts = columns.map(
      ({ name }) =>
        compileQuery(kysely, (tables: Tables) => tables.selectFrom("workspace").select(sql.ref(name).as("it"))).text,
    );
    expect(entities.length).toBeGreaterThan(15);
    expect(texts).toEqual(columns.map(({ column }) => `select "${column}" as "it" from "workspace"`));
  });
});

describe("on a database", () => {
  let connection: TestConnection;
  let database: Database;
  beforeAll(async () => {
    connection = await openTestDatabase();
    database = connection.database;
  });
  afterAll(() => connection.close());
  beforeEach(async () => {
    await database.query((tables: Tables) => tables.deleteFrom("workspace"));
    await database.query((tables: Tables) => tables.deleteFrom("used_signature"));
  });

  test("values arrive as they were: texts, lists, times, bytes and null", async () => {
    expect(await database.query(insert)).toEqual([]);
    expect(await database.query(read)).toEqual([workspace]);
    const signature = { workspaceId: "ws_1", nonce: Buffer.from([0, 255, 92]), usedAt: createdAt };
    await database.query((tables: Tables) => tables.insertInto("used_signature").values(signature));
    expect(
      await database.query((tables: Tables) =>
        tables
          .selectFrom("used_signature")
          .select(["workspaceId", "nonce", "usedAt"])
          .where("nonce", "=", signature.nonce),
      ),
    ).toEqual([signature]);
  });

  test("columns of a CTE that inserts have the names of properties too", async () => {
    const rows = await database.query((tables: Tables) =>
      tables
        .with("made", (cte) => cte.insertInto("workspace").values(row).returning(["createdAt", "ipAllowlist"]))
        .selectFrom("made")
        .selectAll(),
    );
    expect(rows).toEqual([{ createdAt, ipAllowlist: workspace.ipAllowlist }]);
  });

  test("in a transaction they are rolled back with it", async () => {
    const rolledBack = database.transaction(async (transaction) => {
      await transaction.query(insert);
      expect(await transaction.query(read)).toHaveLength(1);
      throw new RangeError("over");
    });
    await expect(rolledBack).rejects.toThrow("over");
    expect(await database.query(read)).toEqual([]);
    await database.transaction((transaction) => transaction.query(insert));
    expect(await database.query(read)).toHaveLength(1);
  });

  test("a wait for a lock ends before the server gives up: unavailable, and rolled back", {
    timeout: 20_000,
  }, async () => {
    await database.query(insert);
    const rename = (name: string) => (tables: Tables) => tables.updateTable("workspace").set({ name });
    const locked = Promise.withResolvers<void>();
    const end = Promise.withResolvers<void>();
    const holding = database.transaction(async (transaction) => {
      await transaction.query(rename("first"));
      locked.resolve();
      // Asks something now and then: an idle transaction is ended.
      const asking = setInterval(() => void transaction.query(read), 500);
      await end.promise;
      clearInterval(asking);
    });
    await locked.promise;
    try {
      await expect(database.transaction((transaction) => transaction.query(rename("second")))).rejects.toMatchObject({
        code: "unavailable",
      });
    } finally {
      end.resolve();
      await holding;
    }
    expect(await database.query(read)).toMatchObject([{ name: "first" }]);
  });

  test("after the call's deadline nothing is sent", async () => {
    const late = withDeadline(() => whileClientWaits(performance.now() - 1, () => database.query(insert)));
    await expect(late).rejects.toMatchObject({ code: "unavailable" });
    expect(await database.query(read)).toEqual([]);
  });

  test("columns and values of another type do not compile", () => {
    // @ts-expect-error There is no such column.
    const column = (tables: Tables) => tables.selectFrom("workspace").select("tear");
    // @ts-expect-error A tier is one of four words.
    const tier = (tables: Tables) => tables.updateTable("workspace").set({ tier: "huge" });
    expect([column, tier]).toHaveLength(2);
  });
});
