/** A server whose role may read and write rows, and nothing else. */
import pg from "pg";
import { expect, test } from "vitest";
import { createMigratedDatabase, startTestApp } from "../support/app.ts";
import { addressOf } from "../support/database-address.ts";
import { DatabaseRole } from "../support/database-role.ts";
import { callEveryOperation, everyOperation } from "../support/every-operation.ts";
import { grant } from "../support/grants.ts";
import { createTestDatabase } from "../support/postgres.ts";
import { MainProcess } from "./main-process.ts";

const secret = "0123456789abcdef0123456789abcdef";

async function query<Row extends pg.QueryResultRow>(url: string, text: string): Promise<Row[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query<Row>(text)).rows;
  } finally {
    await client.end();
  }
}

async function run(args: readonly string[], environment: Record<string, string>) {
  await using main = new MainProcess({ args, environment: { BYOND_SECRET: secret, PORT: "0", ...environment } });
  const { code } = await main.exited;
  return { code, output: main.output, said: main.log.trim() };
}

test("the rights that byond grants prints are all that a server needs, and they are on every object of the schema", async () => {
  await using role = await DatabaseRole.create();
  await using owner = await startTestApp();
  const script = await grant(owner.databaseUrl, role.name);
  const objects = await query<{ name: string }>(
    owner.databaseUrl,
    `SELECT tablename AS name FROM pg_tables WHERE schemaname = 'public'
     UNION ALL SELECT sequencename FROM pg_sequences WHERE schemaname = 'public'
     UNION ALL SELECT routine_name FROM information_schema.routines WHERE routine_schema = 'public'`,
  );
  expect(objects.length).toBeGreaterThan(80);
  expect(
    objects.filter(({ name }) => !new RegExp(`^GRANT .+ ON .*\\b${name}\\b.* TO "${role.name}";$`, "m").test(script)),
  ).toEqual([]);
  expect(script).not.toMatch(/ALTER ROLE|TRUNCATE|CREATE/);

  const address = addressOf(role.urlOf(owner.databaseUrl));
  await using server = await owner.startAnother({ ...everyOperation, database: { kind: "external", address } });
  await callEveryOperation(server);
  expect(server.logLines.filter((line) => line.includes('"level":"error"'))).toEqual([]);
  // Nothing but rows.
  for (const statement of [
    "CREATE TABLE mine (id text)",
    "DELETE FROM schema_migration",
    "TRUNCATE workspace",
    "DROP TABLE workspace",
  ]) {
    await expect(query(role.urlOf(owner.databaseUrl), statement)).rejects.toThrow(/permission denied|must be owner/);
  }
});

test("one role migrates, the other serves, and the rights hold for the tables of later migrations", async () => {
  await using role = await DatabaseRole.create();
  await using owner = await DatabaseRole.create();
  const database = await createTestDatabase();
  try {
    const [name] = new URL(database.url).pathname.slice(1).split("?");
    await query(database.url, `ALTER DATABASE ${name} OWNER TO ${owner.name}`);
    const environment = { DATABASE_URL: role.urlOf(database.url), DATABASE_MIGRATION_URL: owner.urlOf(database.url) };
    const grants = ["grants", "--role", role.name] as const;
    expect((await run(grants, environment)).said).toBe("The database has no tables yet. Run byond migrate first.");
    expect(await run(["migrate"], environment)).toMatchObject({ code: 0, output: "The schema is up to date.\n" });
    expect((await run(["start"], environment)).said).toMatch(
      new RegExp(
        `^The database of DATABASE_URL cannot be used: ${role.name} lacks rights on .+ and \\d+ more: run what byond grants --role ${role.name} prints\\.$`,
      ),
    );
    expect((await run(["grants", "--role", "nobody_here"], environment)).said).toContain(
      'CREATE ROLE "nobody_here" LOGIN',
    );
    const { output: script } = await run(grants, environment);
    await query(owner.urlOf(database.url), script);
    await query(owner.urlOf(database.url), "CREATE TABLE later (id text); CREATE SEQUENCE later_seq");
    await query(role.urlOf(database.url), "INSERT INTO later VALUES (nextval('later_seq')::text); DELETE FROM later");
    await using main = new MainProcess({ environment: { ...environment, BYOND_SECRET: secret, PORT: "0" } });
    expect((await fetch(`${await main.url()}/readyz`)).status).toBe(200);
    expect(await main.stop()).toEqual({ code: 0, signal: null });
  } finally {
    await database.drop();
  }
});

test("URLs of two databases are refused before anything is written", async () => {
  const served = await createMigratedDatabase();
  const other = await createTestDatabase();
  try {
    for (const setting of ["DATABASE_MIGRATION_URL", "DATABASE_DIRECT_URL"]) {
      for (const command of ["migrate", "start"]) {
        expect(await run([command], { DATABASE_URL: served.url, [setting]: other.url })).toMatchObject({
          code: 1,
          said: expect.stringMatching(
            new RegExp(
              `^The database of ${setting} cannot be used: it leads to test_\\w+ at \\S+:\\d+, and DATABASE_URL to test_\\w+ at \\S+:\\d+, which is another database: correct one of them\\.$`,
            ),
          ),
        });
      }
    }
    expect(await query(other.url, "SELECT FROM pg_class WHERE relnamespace = 'public'::regnamespace")).toEqual([]);
  } finally {
    await other.drop();
    await served.drop();
  }
});

test("sessions of two roles may show moments in ways of their own", async () => {
  await using role = await DatabaseRole.create();
  const database = await createMigratedDatabase();
  try {
    await grant(database.url, role.name);
    await query(database.url, `ALTER ROLE ${role.name} SET timezone = 'Asia/Kolkata'`);
    await query(database.url, `ALTER ROLE ${role.name} SET datestyle = 'SQL, DMY'`);
    const environment = { DATABASE_URL: role.urlOf(database.url), DATABASE_MIGRATION_URL: database.url };
    expect(await run(["migrate"], environment)).toMatchObject({ code: 0, output: "The schema is up to date.\n" });
  } finally {
    await database.drop();
  }
});

test("a role without the right to connect yet does not keep byond migrate from running", async () => {
  await using role = await DatabaseRole.create();
  const database = await createTestDatabase();
  try {
    await query(database.url, `REVOKE CONNECT ON DATABASE ${new URL(database.url).pathname.slice(1)} FROM PUBLIC`);
    const url = new URL(role.urlOf(database.url));
    // Also where every host refuses it.
    const severalHosts = url.href.replace(url.host, `${url.host},${url.host}`);
    for (const servingUrl of [url.href, severalHosts]) {
      const environment = { DATABASE_URL: servingUrl, DATABASE_MIGRATION_URL: database.url };
      expect(await run(["migrate"], environment)).toMatchObject({ code: 0, output: "The schema is up to date.\n" });
    }
  } finally {
    await database.drop();
  }
});

test("a role that may not migrate starts on a schema that is up to date, and says what to do on one that is not", async () => {
  await using role = await DatabaseRole.create();
  const database = await createMigratedDatabase();
  try {
    const environment = { DATABASE_URL: role.urlOf(database.url) };
    expect((await run(["start"], environment)).said).toMatch(
      /^The database of DATABASE_URL cannot be used: the role \w+ may not read schema_migration: run what byond grants --role \w+ prints\.$/,
    );
    await grant(database.url, role.name);
    expect((await run(["migrate"], environment)).output).toBe("The schema is up to date.\n");
    await query(database.url, "DELETE FROM schema_migration WHERE name = 'usage-0001'");
    expect((await run(["start"], environment)).said).toMatch(
      /^The database of DATABASE_URL cannot be used: its schema lacks 1 migration, the first of which is usage-0001, and only \S+ may run them: set DATABASE_MIGRATION_URL to its URL, or run byond migrate with it\.$/,
    );
  } finally {
    await database.drop();
  }
});
