/** Where a start is refused, `byond doctor` finds a fault with the same words; where it is not, it finds none. */
import pg from "pg";
import { expect, test } from "vitest";
import { createMigratedDatabase } from "../support/app.ts";
import { DatabaseRole } from "../support/database-role.ts";
import { diagnose, isOfTestPostgres } from "../support/doctor.ts";
import { grant } from "../support/grants.ts";
import { createTestDatabase, type TestDatabase } from "../support/postgres.ts";
import { startRefusal } from "../support/start-refusal.ts";

const secret = "0123456789abcdef0123456789abcdef";

interface Case extends AsyncDisposable {
  readonly role: DatabaseRole;
  /** As the role that owns everything. */
  readonly owner: string;
  readonly served: string;
  query(text: string): Promise<pg.QueryResult>;
}

/** A database, migrated or empty, and a role: without rights, or with those of a server. */
async function setUp(database: TestDatabase, isGranted = false): Promise<Case> {
  const resources = new AsyncDisposableStack();
  const role = resources.use(await DatabaseRole.create());
  resources.defer(() => database.drop());
  const client = new pg.Client({ connectionString: database.url });
  await client.connect();
  resources.defer(() => client.end());
  if (isGranted) {
    await grant(database.url, role.name);
  }
  return {
    role,
    owner: database.url,
    served: role.urlOf(database.url),
    query: (text) => client.query(text),
    [Symbol.asyncDispose]: () => resources.disposeAsync(),
  };
}

/** What both say. The words of the start are the problem of a fault, and its advice. */
async function ask(variables: Record<string, string>) {
  const environment = { BYOND_SECRET: secret, ...variables };
  const findings = (await diagnose(environment)).filter((each) => each.verdict !== "ok" && !isOfTestPostgres(each));
  const faults = findings.filter(({ verdict }) => verdict === "fault");
  const start = await startRefusal(environment);
  expect({ isFault: faults.length > 0 }).toEqual({ isFault: start !== undefined });
  for (const { found, advice = "" } of faults) {
    const problem = found.replace(/^DATABASE_\w+: /, "");
    expect(start).toMatch(/^The database of DATABASE_\w+ cannot be used: /);
    expect(start).toContain(`${problem}: ${advice.charAt(0).toLowerCase()}`);
    expect(start).toContain(`${advice.slice(1)}.`);
  }
  return { findings, start };
}

test("a role that only serves, and a schema that is behind", async () => {
  await using way = await setUp(await createMigratedDatabase(), true);
  await way.query("DELETE FROM schema_migration WHERE name IN ('usage-0001', 'webhooks-0001')");
  const { findings } = await ask({ DATABASE_URL: way.served });
  expect(findings).toEqual([
    {
      about: "migrations",
      verdict: "fault",
      found: expect.stringMatching(
        /^its schema lacks 2 migrations, the first of which is usage-0001, and only \w+ may run them$/,
      ),
      advice: "Set DATABASE_MIGRATION_URL to its URL, or run byond migrate with it",
    },
  ]);
});

test("an upgrade that stopped halfway and was taken back: both sets are named", async () => {
  await using way = await setUp(await createMigratedDatabase(), true);
  await way.query("INSERT INTO schema_migration (name) VALUES ('verify-9999')");
  expect((await ask({ DATABASE_URL: way.served })).findings).toMatchObject([
    { about: "migrations", verdict: "warning", found: "a newer version has run verify-9999" },
  ]);
  await way.query("DELETE FROM schema_migration WHERE name = 'crypto-0001'; DROP TABLE master_secret");
  expect((await ask({ DATABASE_URL: way.served })).findings).toMatchObject([
    { about: "migrations", verdict: "fault", found: expect.stringContaining("the first of which is crypto-0001") },
  ]);
  expect(await diagnose({ BYOND_SECRET: secret, DATABASE_URL: way.owner })).toContainEqual({
    about: "migrations",
    verdict: "warning",
    found: "1 of this version have not run: crypto-0001; a newer version has run verify-9999",
    advice:
      "The next start of this version runs them, and so does byond migrate. Read CHANGELOG.md first. Then finish the upgrade",
  });
  expect((await ask({ DATABASE_URL: way.owner })).start).toBeUndefined();
});

test("the rights of the role that migrates are looked at: to create, and to own what migrations change", async () => {
  await using way = await setUp(await createMigratedDatabase());
  const { name } = way.role;
  await way.query(`
    DELETE FROM schema_migration WHERE name = 'usage-0001'; DROP TABLE usage_day;
    ALTER TABLE schema_migration OWNER TO ${name}`);
  for (const variables of [
    { DATABASE_URL: way.served },
    { DATABASE_URL: way.owner, DATABASE_MIGRATION_URL: way.served },
  ]) {
    const { findings } = await ask(variables);
    expect(findings).toMatchObject([
      {
        about: "migrations",
        verdict: "fault",
        found: expect.stringMatching(
          `the role ${name} may not create tables in the schema public, which migrations do$`,
        ),
        advice: expect.stringMatching(`^Run GRANT CREATE ON SCHEMA public TO ${name}, or set DATABASE_MIGRATION_URL `),
      },
    ]);
  }
  await way.query(`GRANT CREATE ON SCHEMA public TO ${name}`);
  expect((await ask({ DATABASE_URL: way.served })).findings).toMatchObject([
    {
      found: expect.stringMatching(
        `^the role ${name} does not own account, \\w+, \\w+ and \\d+ more, which migrations change$`,
      ),
    },
  ]);
});

test("a table of our name in a database without our migrations: nothing is created", async () => {
  await using way = await setUp(await createTestDatabase());
  await way.query("CREATE TABLE verification (id text)");
  const found = expect.stringMatching(
    /^tables of other programs, or of a part of a backup, have the names of ours, and schema_migration knows of none \(verification in the schema public\)$/,
  );
  const advice = "Use an empty database, or restore a whole backup into one";
  for (const url of [way.owner, way.served]) {
    expect((await ask({ DATABASE_URL: url })).findings).toEqual([
      { about: "migrations", verdict: "fault", found, advice },
    ]);
  }
  const { rows } = await way.query("SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace");
  expect(rows).toEqual([{ relname: "verification" }]);
});

test("a role that may not use the schema, or whose search_path has none", async () => {
  await using way = await setUp(await createMigratedDatabase(), true);
  const { name } = way.role;
  await way.query(`REVOKE USAGE ON SCHEMA public FROM ${name}, PUBLIC`);
  expect((await ask({ DATABASE_URL: way.served })).findings).toEqual([
    {
      about: "migrations",
      verdict: "fault",
      found: `the search_path of the role ${name} ("$user", public) has no schema that exists and that it may use, and schema_migration is in public`,
      advice: `Run what byond grants --role ${name} prints, or correct the search_path of the role, the database or the URL's options`,
    },
  ]);
  await grant(way.owner, name);
  const options = encodeURIComponent("-c search_path=");
  expect((await ask({ DATABASE_URL: `${way.served}?options=${options}` })).findings).toMatchObject([
    { found: expect.stringMatching(/\((""|empty)\) has no schema .* schema_migration is in public$/) },
  ]);
  await way.query(`REVOKE USAGE ON SCHEMA public FROM ${name}, PUBLIC`);
  // Migrated by another role: the one that serves sees no tables.
  const { findings } = await ask({ DATABASE_URL: way.served, DATABASE_MIGRATION_URL: way.owner });
  expect(findings).toMatchObject([{ about: "rights", found: `it shows ${name} no tables of ours` }]);
});

test("an empty database, and a role that may create nothing", async () => {
  await using way = await setUp(await createTestDatabase());
  await way.query("REVOKE USAGE ON SCHEMA public FROM PUBLIC");
  expect((await ask({ DATABASE_URL: way.served })).findings).toMatchObject([
    { advice: expect.stringMatching(`^Run GRANT USAGE, CREATE ON SCHEMA public TO ${way.role.name}, or `) },
  ]);
});

test("rights are missing on a table, a sequence or a function", async () => {
  await using way = await setUp(await createMigratedDatabase(), true);
  const { name } = way.role;
  await way.query(`REVOKE UPDATE ON server FROM ${name}; REVOKE EXECUTE ON FUNCTION byond_now() FROM ${name}, PUBLIC`);
  expect((await ask({ DATABASE_URL: way.served })).findings).toEqual([
    {
      about: "rights",
      verdict: "fault",
      found: `${name} lacks rights on server, byond_now()`,
      advice: `Run what byond grants --role ${name} prints`,
    },
  ]);
});

test("DATABASE_DIRECT_URL without a pooler in DATABASE_URL", async () => {
  await using way = await setUp(await createMigratedDatabase(), true);
  expect((await ask({ DATABASE_URL: way.served, DATABASE_DIRECT_URL: way.served })).findings).toEqual([
    {
      about: "database",
      verdict: "fault",
      found:
        "it leads to PostgreSQL itself, although DATABASE_DIRECT_URL is set, which is for a pooler in DATABASE_URL",
      advice: "Remove DATABASE_DIRECT_URL, or set DATABASE_URL to the pooler",
    },
  ]);
});

test("another session holds schema_migration locked: it is named", async () => {
  await using way = await setUp(await createMigratedDatabase(), true);
  const { rows } = await way.query("SELECT pg_backend_pid() AS pid");
  await way.query("BEGIN; LOCK TABLE schema_migration; SET application_name = 'a forgotten terminal'");
  const { findings } = await ask({ DATABASE_URL: way.served });
  expect(findings).toEqual([
    {
      about: "migrations",
      verdict: "fault",
      found: `schema_migration is locked by the session with the pid ${rows[0].pid}, of the role byond, a forgotten terminal`,
      advice: "Let that transaction end, or end it with pg_terminate_backend",
    },
  ]);
  await way.query("ROLLBACK");
  expect((await ask({ DATABASE_URL: way.served })).findings).toEqual([]);
});
