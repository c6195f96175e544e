/** What `byond doctor` says of the URLs of the database: each is tried, as a start would use it. */
import pg from "pg";
import { expect, test } from "vitest";
import type { Finding } from "../../src/finding.ts";
import { createMigratedDatabase } from "../support/app.ts";
import { DatabaseRole } from "../support/database-role.ts";
import { diagnose, isOfTestPostgres } from "../support/doctor.ts";
import { grant } from "../support/grants.ts";
import { keepsStatements, PgBouncer, pgbouncerVersion } from "../support/pgbouncer.ts";
import { createTestDatabase } from "../support/postgres.ts";

const secret = "0123456789abcdef0123456789abcdef";
const is = `PgBouncer ${pgbouncerVersion ?? "is not installed"}`;

async function faults(variables: Record<string, string>): Promise<Finding[]> {
  const findings = await diagnose({ BYOND_SECRET: secret, ...variables });
  return findings.filter((finding) => finding.verdict !== "ok" && !isOfTestPostgres(finding));
}

/** A migrated database, and a role that may serve it. */
async function setUp(pooled = false) {
  const resources = new AsyncDisposableStack();
  const role = resources.use(await DatabaseRole.create());
  const database = await createMigratedDatabase();
  resources.defer(() => database.drop());
  await grant(database.url, role.name, pooled);
  return {
    owner: database.url,
    role,
    served: role.urlOf(database.url),
    [Symbol.asyncDispose]: () => resources.disposeAsync(),
  };
}

test("a URL with a wrong password is named, whichever it is", async () => {
  await using way = await setUp(true);
  const wrong = new URL(way.served);
  wrong.password = "opensesame";
  const refused = (setting: string, found: string) => ({
    about: "database",
    verdict: "fault",
    found,
    advice: `Correct ${setting}, or what it leads to`,
  });
  const problem = `password authentication failed for user "${way.role.name}"`;
  expect(await faults({ DATABASE_URL: wrong.href })).toEqual([refused("DATABASE_URL", problem)]);
  for (const setting of ["DATABASE_DIRECT_URL", "DATABASE_MIGRATION_URL"]) {
    expect(await faults({ DATABASE_URL: way.served, [setting]: wrong.href })).toEqual([
      refused(setting, `${setting}: ${problem}`),
    ]);
  }
  expect(await faults({ DATABASE_URL: way.served, DATABASE_MIGRATION_URL: way.owner })).toEqual([]);
});

test("URLs of several databases are told", async () => {
  await using way = await setUp();
  const empty = await createTestDatabase();
  try {
    for (const setting of ["DATABASE_DIRECT_URL", "DATABASE_MIGRATION_URL"]) {
      expect(await faults({ DATABASE_URL: way.served, [setting]: empty.url })).toContainEqual({
        about: "database",
        verdict: "fault",
        found: expect.stringMatching(
          new RegExp(
            `^${setting}: it leads to test_\\w+ at \\S+:\\d+, and DATABASE_URL to test_\\w+ at \\S+:\\d+, which is another database$`,
          ),
        ),
        advice: "Correct one of them",
      });
    }
  } finally {
    await empty.drop();
  }
});

test("where the role has no connection left, the advice is about connections", async () => {
  await using role = await DatabaseRole.create("CONNECTION LIMIT 0");
  const database = await createMigratedDatabase();
  try {
    expect(await faults({ DATABASE_URL: role.urlOf(database.url) })).toEqual([
      {
        about: "database",
        verdict: "fault",
        found: expect.stringMatching(/^too many connections for role "\w+"\. All its connections are in use/),
        advice:
          "Close connections that nobody needs, set a smaller DATABASE_POOL_SIZE on the servers, or raise that limit",
      },
    ]);
  } finally {
    await database.drop();
  }
});

test.each([
  [
    "ENCODING 'SQL_ASCII' LOCALE 'C' LOCALE_PROVIDER libc TEMPLATE template0",
    "",
    "its encoding is SQL_ASCII, and must be UTF8",
    /^Create another one with ENCODING/,
  ],
  [
    "",
    "SET default_transaction_read_only = on",
    "it is read-only, since default_transaction_read_only is on",
    /^Set it to off/,
  ],
])("a database that will not do comes with advice: %s%s", async (creation, change, found, advice) => {
  await using role = await DatabaseRole.create("SUPERUSER");
  const template = await createTestDatabase();
  const name = `${new URL(template.url).pathname.slice(1)}_2`;
  const client = new pg.Client({ connectionString: template.url });
  await client.connect();
  try {
    await client.query(`CREATE DATABASE ${name} ${creation}`);
    await client.query(change === "" ? "SELECT" : `ALTER DATABASE ${name} ${change}`);
    const url = new URL(role.urlOf(template.url));
    url.pathname = `/${name}`;
    expect(await faults({ DATABASE_URL: url.href })).toEqual([
      { about: "database", verdict: "fault", found, advice: expect.stringMatching(advice) },
    ]);
  } finally {
    await client.query(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`);
    await client.end();
    await template.drop();
  }
});

test.skipIf(pgbouncerVersion === undefined)(`a pooler that the start refuses is a fault (${is})`, async () => {
  await using way = await setUp(true);
  const direct = way.served;
  await using bouncer = await PgBouncer.start(direct, keepsStatements ? { max_prepared_statements: 0 } : {});
  const pooled = bouncer.urlOf(direct);
  expect(await faults({ DATABASE_URL: pooled })).toEqual([
    {
      about: "database",
      verdict: "fault",
      found: "it is a pooler in transaction mode",
      advice: expect.stringMatching(/^Set DATABASE_DIRECT_URL to PostgreSQL itself/),
    },
  ]);
  expect(await faults({ DATABASE_URL: pooled, DATABASE_DIRECT_URL: direct })).toEqual([
    {
      about: "database",
      verdict: "fault",
      found: "its pooler keeps no prepared statements",
      advice: "In transaction mode it must be PgBouncer 1.21 or newer, with max_prepared_statements above 0",
    },
  ]);
  expect(await faults({ DATABASE_URL: direct, DATABASE_DIRECT_URL: pooled })).toMatchObject([
    { found: "DATABASE_DIRECT_URL: it is a pooler in transaction mode", advice: "Set it to PostgreSQL itself" },
  ]);
});
