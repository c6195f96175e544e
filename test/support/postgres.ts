import { randomBytes } from "node:crypto";
import { Client } from "pg";
import { inject } from "vitest";

export interface TestDatabase {
  readonly url: string;
  /** Disconnects whoever is still connected. */
  drop(): Promise<void>;
}

/** Makes a database of its own for a test file: a copy of the template (see `ensureTemplate`), or an empty one. */
export async function createTestDatabase(template?: string): Promise<TestDatabase> {
  const name = `test_${randomBytes(8).toString("hex")}`;
  const source = template === undefined ? "template1" : quoted(template);
  // Copying the files takes half as long as writing each of their pages to the log.
  await asAdministrator((client) => client.query(`CREATE DATABASE ${name} TEMPLATE ${source} STRATEGY FILE_COPY`));
  return {
    url: urlOf(name),
    drop: () =>
      asAdministrator(async (client) => {
        await client.query(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`);
      }),
  };
}

/** The templates that this process has seen. */
const ready = new Set<string>();

/**
 * Creates the template database of this name once per run, even if many test files ask for it at once. `migrate` gets the URL
 * of an empty database. Returns the name, for `createTestDatabase`.
 */
export async function ensureTemplate(name: string, migrate: (url: string) => Promise<void>): Promise<string> {
  if (ready.has(name)) {
    return name;
  }
  await asAdministrator(async (client) => {
    // The lock is held by this connection. Other test files wait here until it is released.
    await client.query("SELECT pg_advisory_lock(hashtext($1))", [name]);
    const { rowCount } = await client.query("SELECT FROM pg_database WHERE datname = $1", [name]);
    if (rowCount === 1) return;

    const unfinished = `${name}_unfinished`;
    await client.query(`DROP DATABASE IF EXISTS ${quoted(unfinished)} WITH (FORCE)`);
    await client.query(`CREATE DATABASE ${quoted(unfinished)}`);
    await migrate(urlOf(unfinished));
    // A database with connections cannot be renamed or copied, so they are closed and new ones refused.
    await client.query(`ALTER DATABASE ${quoted(unfinished)} WITH ALLOW_CONNECTIONS false`);
    await client.query("SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = $1", [unfinished]);
    await client.query(`ALTER DATABASE ${quoted(unfinished)} RENAME TO ${quoted(name)}`);
  });
  ready.add(name);
  return name;
}

function urlOf(database: string): string {
  const url = new URL(inject("postgresUrl"));
  url.pathname = `/${database}`;
  return url.href;
}

async function asAdministrator<T>(use: (client: Client) => Promise<T>): Promise<T> {
  const client = new Client({ connectionString: inject("postgresUrl"), application_name: "byond-test" });
  client.on("error", () => undefined);
  await client.connect();
  try {
    return await use(client);
  } finally {
    await client.end();
  }
}

function quoted(identifier: string): string {
  return `"${identifier.replaceAll('"', '""')}"`;
}
