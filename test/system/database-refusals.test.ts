/** Databases that a server cannot use, and one that it has to wait for: what the operator is told. */
import { randomBytes } from "node:crypto";
import { startEmbeddedPostgres } from "@byond/embedded-postgres";
import pg from "pg";
import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import { createMigratedDatabase } from "../support/app.ts";
import { createTestDatabase, type TestDatabase } from "../support/postgres.ts";
import { MainProcess, makeFolder } from "./main-process.ts";

const secret = "0123456789abcdef0123456789abcdef";
const role = `role_${randomBytes(6).toString("hex")}`;
const password = "hunter2";

let administrator: pg.Client;
let empty: TestDatabase;
beforeAll(async () => {
  administrator = new pg.Client({ connectionString: inject("postgresUrl") });
  administrator.on("error", () => undefined);
  await administrator.connect();
  await administrator.query(`CREATE ROLE ${role} LOGIN PASSWORD '${password}'`);
  empty = await createTestDatabase();
});
afterAll(async () => {
  await empty.drop();
  await administrator.query(`DROP ROLE ${role}`);
  await administrator.end();
});

/** The URL as the test's role, with changes. */
function urlOf(change: (url: URL) => void = () => {}): string {
  const url = new URL(empty.url);
  url.username = role;
  url.password = password;
  change(url);
  return url.href;
}

async function refusal(databaseUrl: string): Promise<string> {
  await using main = new MainProcess({ environment: { DATABASE_URL: databaseUrl, BYOND_SECRET: secret, PORT: "0" } });
  expect(await main.exited).toEqual({ code: 1, signal: null });
  expect(main.output).toBe("");
  expect(main.log).not.toContain(password);
  return main.log.trim();
}

/** One sentence or two: no stack, no JSON. */
const sentence = (problem: RegExp) => new RegExp(`^The database of DATABASE_URL cannot be used: ${problem.source}$`);

describe("the start fails with a sentence that says what to do", () => {
  test("if the role may not create tables", async () => {
    expect(await refusal(urlOf())).toMatch(
      sentence(
        /the role \w+ may not create tables in the schema public, which migrations do: run GRANT CREATE ON SCHEMA public TO \w+, or set DATABASE_MIGRATION_URL .+\./,
      ),
    );
  });

  test("if the host is unknown, the port is closed, or the database does not exist", async () => {
    const [unknown, closed, missing] = [
      urlOf((url) => {
        url.hostname = "nowhere.invalid";
        url.search = "?sslmode=disable";
      }),
      urlOf((url) => {
        url.port = "9";
      }),
      urlOf((url) => {
        url.pathname = "/nowhere";
      }),
    ];
    expect(await refusal(unknown)).toMatch(
      sentence(/getaddrinfo \w+ nowhere\.invalid\. Its host name cannot be resolved\./),
    );
    expect(await refusal(closed)).toMatch(sentence(/connect ECONNREFUSED 127\.0\.0\.1:9/));
    expect(await refusal(missing)).toMatch(
      sentence(/database "nowhere" does not exist\. Create it with CREATE DATABASE\./),
    );
  });

  test("if the database is read-only", async () => {
    await administrator.query(`ALTER ROLE ${role} SET default_transaction_read_only = on`);
    expect(await refusal(urlOf())).toMatch(sentence(/it is read-only, since default_transaction_read_only is on: .*/));
    await administrator.query(`ALTER ROLE ${role} RESET default_transaction_read_only`);
  });

  test("if the database has no free connection", async () => {
    await administrator.query(`ALTER ROLE ${role} CONNECTION LIMIT 0`);
    expect(await refusal(urlOf())).toMatch(
      sentence(/too many connections for role .*\. All its connections are in use: .*/),
    );
    await administrator.query(`ALTER ROLE ${role} CONNECTION LIMIT -1`);
  });

  test("if the database is not in UTF-8", async () => {
    const name = `latin_${randomBytes(6).toString("hex")}`;
    await administrator.query(
      `CREATE DATABASE ${name} ENCODING 'SQL_ASCII' LOCALE 'C' LOCALE_PROVIDER libc TEMPLATE template0`,
    );
    const url = urlOf((changed) => {
      changed.pathname = `/${name}`;
    });
    expect(await refusal(url)).toMatch(sentence(/its encoding is SQL_ASCII, and must be UTF8: .*/));
    await administrator.query(`DROP DATABASE ${name} WITH (FORCE)`);
  });
});

describe("a schema from before the first release is refused and not changed", () => {
  const problem = "its schema is from a version before the first release, which cannot be migrated";

  /** What such versions noted of their migrations. */
  async function makeEarlierSchema(connectionString: string): Promise<void> {
    const client = new pg.Client({ connectionString });
    await client.connect();
    await client.query("CREATE TABLE schema_migration (id serial PRIMARY KEY, name varchar(255) NOT NULL)");
    await client.query("INSERT INTO schema_migration (name) VALUES ('0001-initial'), ('0002-revocation')");
    await client.end();
  }

  test("in a database of DATABASE_URL", async () => {
    const database = await createTestDatabase();
    await makeEarlierSchema(database.url);
    expect(await refusal(database.url)).toBe(
      `The database of DATABASE_URL cannot be used: ${problem}. Set it to an empty database.`,
    );
    const client = new pg.Client({ connectionString: database.url });
    await client.connect();
    const { rows } = await client.query(
      "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r'",
    );
    expect(rows).toEqual([{ relname: "schema_migration" }]);
    await client.end();
    await database.drop();
  });

  test("in a folder of DATA_DIR", async () => {
    await using folder = await makeFolder();
    const postgres = await startEmbeddedPostgres({ dataDir: folder.path });
    await makeEarlierSchema(postgres.url);
    await postgres.stop();
    await using main = new MainProcess({ environment: { DATA_DIR: folder.path, PORT: "0" } });
    expect(await main.exited).toEqual({ code: 1, signal: null });
    expect(main.log.trim()).toBe(
      `The database of DATA_DIR cannot be used: ${problem}. ` +
        `Delete the folder ${folder.path} with all its data, or set DATA_DIR to another one.`,
    );
  });
});

test("while another connection holds the migration lock, the log names it repeatedly; the server starts when it is released", async () => {
  const database = await createMigratedDatabase();
  const holder = new pg.Client({ connectionString: database.url, application_name: "a forgotten terminal" });
  await holder.connect();
  await holder.query("SELECT pg_advisory_lock(7269341950)");
  const { rows } = await holder.query("SELECT pg_backend_pid() AS pid");
  await using main = new MainProcess({ environment: { DATABASE_URL: database.url, BYOND_SECRET: secret, PORT: "0" } });
  for (const seconds of [5, 10]) {
    const [line] = await main.wrote(new RegExp(`^.*"waiting_for_migration_lock","waited_seconds":${seconds},.*$`, "m"));
    expect(JSON.parse(line)).toMatchObject({
      level: "warn",
      held_by: {
        pid: rows[0].pid,
        application_name: "a forgotten terminal",
        role: "byond",
        client_address: "127.0.0.1",
        state: "idle",
        connected_seconds: expect.any(Number),
      },
    });
  }
  await holder.end();
  await main.url();
  expect(await main.stop()).toEqual({ code: 0, signal: null });
  await database.drop();
});
