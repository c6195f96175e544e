import { Client } from "pg";
import { expect, test } from "vitest";
import { createTestDatabase, ensureTemplate } from "./postgres.ts";

async function query(url: string, text: string): Promise<unknown[][]> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query({ text, rowMode: "array" })).rows;
  } finally {
    await client.end();
  }
}

test("a template is migrated once, even for simultaneous requests, and its copies are independent", async () => {
  let migrations = 0;
  const migrate = async (url: string) => {
    migrations += 1;
    await query(url, "CREATE TABLE note AS SELECT 'from the template' AS text");
  };
  const names = await Promise.all(Array.from({ length: 5 }, () => ensureTemplate("postgres_test", migrate)));
  expect(new Set(names)).toEqual(new Set(["postgres_test"]));
  expect(migrations).toBe(1);

  const [one, other] = await Promise.all([createTestDatabase("postgres_test"), createTestDatabase("postgres_test")]);
  await query(one.url, "DELETE FROM note");
  expect(await query(other.url, "SELECT text FROM note")).toEqual([["from the template"]]);
  await one.drop();
  await other.drop();
  await expect(query(one.url, "SELECT 1")).rejects.toMatchObject({ code: "3D000" });
});

test("a migration that fails leaves no template behind", async () => {
  const failing = ensureTemplate("failing_test", async () => {
    throw new Error("no such column");
  });
  await expect(failing).rejects.toThrow("no such column");
  await ensureTemplate("failing_test", async (url) => void (await query(url, "CREATE TABLE note ()")));
  const database = await createTestDatabase("failing_test");
  expect(await query(database.url, "SELECT * FROM note")).toEqual([]);
  await database.drop();
});

test("a database with open connections can be dropped", async () => {
  const database = await createTestDatabase();
  const client = new Client({ connectionString: database.url });
  client.on("error", () => undefined);
  const ended = new Promise((resolve) => client.once("end", resolve));
  await client.connect();
  await database.drop();
  await ended;
});
