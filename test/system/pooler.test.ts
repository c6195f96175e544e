/** PgBouncer in front of PostgreSQL, in transaction mode: it serves, or the start says why it cannot. */
import { expect, test } from "vitest";
import type { Config } from "../../src/app.ts";
import { createMigratedDatabase, startTestApp } from "../support/app.ts";
import { addressOf } from "../support/database-address.ts";
import { DatabaseRole } from "../support/database-role.ts";
import { callEveryOperation, everyOperation } from "../support/every-operation.ts";
import { grant } from "../support/grants.ts";
import { keepsStatements, PgBouncer, pgbouncerVersion } from "../support/pgbouncer.ts";
import { startRefusal } from "../support/start-refusal.ts";

const secret = "0123456789abcdef0123456789abcdef";
const skipped = pgbouncerVersion === undefined;
const is = `PgBouncer ${pgbouncerVersion ?? "is not installed"}`;

/** What the operator is told of a start that is refused. */
async function refusal(environment: Record<string, string>): Promise<string> {
  return (await startRefusal({ BYOND_SECRET: secret, ...environment })) ?? "it started";
}

/** A role with rights and settings, and a database that is reached through a pooler. */
async function setUp(settings: Readonly<Record<string, string | number>> = {}, pooled = true) {
  const resources = new AsyncDisposableStack();
  const role = resources.use(await DatabaseRole.create());
  const owner = resources.use(await startTestApp());
  await grant(owner.databaseUrl, role.name, pooled);
  const direct = role.urlOf(owner.databaseUrl);
  const bouncer = resources.use(await PgBouncer.start(direct, settings));
  return { owner, direct, pooled: bouncer.urlOf(direct), [Symbol.asyncDispose]: () => resources.disposeAsync() };
}

test.skipIf(skipped)(`a pooler in transaction mode is refused without DATABASE_DIRECT_URL (${is})`, async () => {
  await using way = await setUp();
  for (const changes of [{}, { DATABASE_MIGRATION_URL: way.owner.databaseUrl }]) {
    const said = await refusal({ DATABASE_URL: way.pooled, ...changes });
    expect(said).toContain(
      "The database of DATABASE_URL cannot be used: it is a pooler in transaction mode: set DATABASE_DIRECT_URL",
    );
    expect(said.includes("max_prepared_statements")).toBe(!keepsStatements);
  }
  expect(await refusal({ DATABASE_URL: way.direct, DATABASE_DIRECT_URL: way.pooled })).toContain(
    "The database of DATABASE_DIRECT_URL cannot be used: it is a pooler in transaction mode: set it to PostgreSQL itself",
  );
});

test.skipIf(skipped)(`a pooler that keeps no prepared statements is refused (${is})`, async () => {
  await using way = await setUp(keepsStatements ? { max_prepared_statements: 0 } : {});
  expect(await refusal({ DATABASE_URL: way.pooled, DATABASE_DIRECT_URL: way.direct })).toBe(
    "The database of DATABASE_URL cannot be used: its pooler keeps no prepared statements: in transaction mode it must be PgBouncer 1.21 or newer, with max_prepared_statements above 0.",
  );
});

test.skipIf(skipped)(`a pooler that pools statements is refused (${is})`, async () => {
  await using way = await setUp({ pool_mode: "statement" });
  expect(await refusal({ DATABASE_URL: way.pooled, DATABASE_DIRECT_URL: way.direct })).toContain(
    "The database of DATABASE_URL cannot be used: its pooler does not keep transactions together",
  );
});

test.skipIf(skipped)(`a pooler in session mode needs nothing (${is})`, async () => {
  await using way = await setUp({ pool_mode: "session" }, false);
  await using server = await way.owner.startAnother({
    database: { kind: "external", address: addressOf(way.pooled) },
    databasePoolSize: 4,
  });
  const { session } = await server.signUp();
  const answers = await Promise.all(Array.from({ length: 20 }, () => server.rest("GET", "/api-keys", { session })));
  expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 200));
});

test.skipIf(!keepsStatements)(`sessions without the settings are refused (${is})`, async () => {
  await using way = await setUp({ max_prepared_statements: 200 }, false);
  expect(await refusal({ DATABASE_URL: way.pooled, DATABASE_DIRECT_URL: way.direct })).toMatch(
    /^The database of DATABASE_URL cannot be used: the sessions of its pooler lack the settings .*jit.*: run what byond grants --role role_\w+ prints, and RECONNECT in the pooler's console\.$/,
  );
});

test.skipIf(!keepsStatements)(`a direct URL of another database is refused (${is})`, async () => {
  await using way = await setUp({ max_prepared_statements: 200 });
  const other = await createMigratedDatabase();
  try {
    expect(await refusal({ DATABASE_URL: way.pooled, DATABASE_DIRECT_URL: other.url })).toMatch(
      /^The database of DATABASE_DIRECT_URL cannot be used: it leads to test_\w+ at \S+, and DATABASE_URL to test_\w+ at 127\.0\.0\.1:\d+, which is another database: correct one of them\.$/,
    );
  } finally {
    await other.drop();
  }
});

test.skipIf(!keepsStatements)(
  `in transaction mode, several servers serve the whole API over a few sessions (${is})`,
  async () => {
    await using way = await setUp({ max_prepared_statements: 500, default_pool_size: 6 });
    const database: Config["database"] = {
      kind: "external",
      address: addressOf(way.pooled),
      direct: addressOf(way.direct),
    };
    await using first = await way.owner.startAnother({ ...everyOperation, database });
    await using second = await way.owner.startAnother({ ...everyOperation, database });
    await Promise.all([callEveryOperation(first), callEveryOperation(second)]);

    // Notifications do not pass the pooler.
    const { session } = await first.signUp();
    const { body } = await first.rest("POST", "/api-keys", { session, body: { name: "key", mode: "test" } });
    expect((await second.rest("GET", "/verifications", { key: body.key })).status).toBe(200);
    expect((await first.rest("DELETE", `/api-keys/${body.id}`, { session })).status).toBe(200);
    expect((await second.rest("GET", "/verifications", { key: body.key })).status).toBe(401);

    // Many calls at once, each of several statements, in sessions that change with every transaction.
    const answers = await Promise.all(
      Array.from({ length: 200 }, (_, index) =>
        (index % 2 === 0 ? first : second).rest("POST", "/api-keys", {
          session,
          body: { name: `${index}`, mode: "test" },
        }),
      ),
    );
    expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 201));
    for (const { logLines } of [first, second]) {
      expect(logLines.filter((line) => line.includes('"level":"error"'))).toEqual([]);
    }
  },
);
