/** What cannot be run is refused before anything is made, in a sentence that says what to do. */
import { once } from "node:events";
import { readdir, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { join } from "node:path";
import pg from "pg";
import { describe, expect, inject, test } from "vitest";
import { makeSelfSignedCertificate } from "../server/self-signed-certificate.ts";
import { createMigratedDatabase } from "../support/app.ts";
import { createTestDatabase } from "../support/postgres.ts";
import { startRefusal } from "../support/start-refusal.ts";
import { MainProcess, makeFolder } from "./main-process.ts";

const secret = "0123456789abcdef0123456789abcdef";

async function refusal(environment: Record<string, string>): Promise<string> {
  return forOperators((await startRefusal(environment)) ?? "it started");
}

/** Starts a process, which should end by itself, and tells what it said. */
async function refusalOfProcess(environment: Record<string, string>): Promise<string> {
  await using main = new MainProcess({ environment });
  expect(await main.exited).toEqual({ code: 1, signal: null });
  expect(main.output).toBe("");
  return forOperators(main.log);
}

/** No stack, no code. */
function forOperators(said: string): string {
  expect(said).not.toMatch(/\n\s+at |node:internal|\.ts:\d/);
  return said;
}

describe("settings", () => {
  test("production without BYOND_SECRET", async () => {
    const said = await refusal({ DATABASE_URL: inject("postgresUrl") });
    expect(said).toContain("BYOND_SECRET is required with DATABASE_URL");
  });

  test("several invalid settings: all are reported together, without passwords, and nothing is created", async () => {
    await using folder = await makeFolder();
    const said = await refusalOfProcess({
      PORT: "99999",
      SIGN_UP: "perhaps",
      TLS_KEY: "/nowhere.pem",
      PUBLIC_URL: "example.com",
      DATABASE_URL: "mysql://byond:hunter2@db.example/byond",
      DATA_DIR: join(folder.path, "data"),
      BYOND_SECRET: "hunter2",
      SMTP_URL: "smtp://mail:hunter2@mail.example",
    });
    for (const name of ["PORT", "SIGN_UP", "TLS_CERT", "PUBLIC_URL", "DATABASE_URL", "BYOND_SECRET", "MAIL_FROM"]) {
      expect(said).toContain(`\n  - ${name}`);
    }
    expect(said).not.toContain("hunter2");
    expect(await readdir(folder.path)).toEqual([]);
  });

  test("an empty DATABASE_URL, and no embedded database is created instead", async () => {
    await using folder = await makeFolder();
    const environment = { PORT: "0", DATA_DIR: join(folder.path, "data") };
    const empty = await refusal({ ...environment, NODE_ENV: "production", DATABASE_URL: "" });
    expect(empty).toContain("DATABASE_URL is empty");
    const missing = await refusal({ PORT: "0", PUBLIC_URL: "https://otp.example.com" });
    expect(missing).toContain("DATABASE_URL is required with PUBLIC_URL");
    const misspelt = await refusal({
      ...environment,
      BYOND_SECRET: secret,
      DATABSE_URL: "postgres://byond:hunter2@db/db",
    });
    expect(misspelt).toContain("DATABSE_URL is not a setting: rename it to DATABASE_URL");
    expect(misspelt).not.toMatch(/hunter2|0123456789abcdef/);
    expect(await readdir(folder.path)).toEqual([]);
  });

  test("a deployment without its secrets, and one whose files of secrets are missing", async () => {
    await using folder = await makeFolder();
    const mail = { PORT: "0", SMTP_URL: "smtp://localhost", MAIL_FROM: "a@acme.example" };
    const none = { ...mail, DATABASE_URL: "", BYOND_SECRET: "", DATA_DIR: join(folder.path, "data") };
    expect(await refusal(none)).toContain("DATABASE_URL and BYOND_SECRET are both empty");
    const proxied = await refusal({ ...none, DATA_DIR: "", TRUSTED_PROXIES: "127.0.0.1", METRICS_TOKEN: "tok" });
    expect(proxied).toContain("DATABASE_URL is empty, which is refused with TRUSTED_PROXIES, METRICS_TOKEN");
    const files = { DATABASE_URL_FILE: "/nowhere/db", BYOND_SECRET_FILE: "/nowhere/byond" };
    const filed = await refusal({ ...mail, NODE_ENV: "production", DATA_DIR: join(folder.path, "data"), ...files });
    expect(filed).toContain("DATABASE_URL_FILE names a file that cannot be read: ENOENT");
    expect(filed).toContain("BYOND_SECRET_FILE names a file that cannot be read: ENOENT");
    expect(await readdir(folder.path)).toEqual([]);
  });
});

describe("refusals of the machine", () => {
  test("a port that is in use", async () => {
    const database = await createTestDatabase();
    const holder = createServer().listen(0, "127.0.0.1");
    await once(holder, "listening");
    const address = holder.address();
    const port = typeof address === "object" && address !== null ? String(address.port) : "";
    const said = await refusalOfProcess({ DATABASE_URL: database.url, BYOND_SECRET: secret, PORT: port });
    expect(said).toContain(`127.0.0.1:${port}`);
    expect(said).toContain("PORT");
    holder.close();
    await database.drop();
  });

  test("an address of another machine", async () => {
    const database = await createTestDatabase();
    // For documentation only: RFC 5737.
    const said = await refusal({ DATABASE_URL: database.url, BYOND_SECRET: secret, PORT: "0", HOST: "192.0.2.1" });
    expect(said).toContain("Cannot listen on 192.0.2.1:0: HOST is not an address of this machine.");
    const unknown = await refusal({
      DATABASE_URL: database.url,
      BYOND_SECRET: secret,
      PORT: "0",
      HOST: "nowhere.invalid",
    });
    expect(unknown).toContain("Cannot listen on nowhere.invalid:0: the name in HOST cannot be resolved");
    expect(unknown).not.toContain("DATABASE_URL");
    await database.drop();
  });

  test("a database that does not answer, without its password", async () => {
    const said = await refusalOfProcess({
      DATABASE_URL: "postgres://byond:hunter2@127.0.0.1:9/byond",
      BYOND_SECRET: secret,
    });
    expect(said).toContain("DATABASE_URL");
    expect(said).toContain("127.0.0.1:9");
    expect(said).not.toContain("hunter2");
  });

  test("a schema that a migration does not fit: which one failed, and why", async () => {
    const database = await createMigratedDatabase();
    try {
      const client = new pg.Client({ connectionString: database.url });
      await client.connect();
      const { rows } = await client.query(
        "DELETE FROM schema_migration WHERE id >= (SELECT id FROM schema_migration WHERE name = 'balance-0001') RETURNING name",
      );
      await client.end();
      expect(rows.length).toBeGreaterThan(1);
      const said = await refusal({ DATABASE_URL: database.url, BYOND_SECRET: secret });
      expect(said).toMatch(
        /^The database of DATABASE_URL cannot be used: the migration \S+ failed: .* already exists\. The migrations before it are kept\. .*restore a whole backup/,
      );
    } finally {
      await database.drop();
    }
  });

  test("a password that the database refuses", async () => {
    const url = new URL(inject("postgresUrl"));
    url.password = "hunter2";
    const said = await refusal({ DATABASE_URL: url.href, BYOND_SECRET: secret });
    expect(said).toContain("DATABASE_URL");
    expect(said).toContain("password authentication failed");
    expect(said).not.toContain("hunter2");
  });

  test("a certificate that is missing or has another key: before a database is created or changed", async () => {
    await using folder = await makeFolder();
    const paths = { cert: join(folder.path, "cert.pem"), key: join(folder.path, "key.pem") };
    const environment = { DATA_DIR: join(folder.path, "data"), PORT: "0", TLS_CERT: paths.cert, TLS_KEY: paths.key };
    const missing = `TLS_CERT: ENOENT: no such file or directory, open '${paths.cert}'`;
    expect(await refusalOfProcess(environment)).toContain(missing);
    await writeFile(paths.cert, makeSelfSignedCertificate().cert);
    await writeFile(paths.key, makeSelfSignedCertificate().key);
    expect(await refusal(environment)).toContain(`TLS_KEY: ${paths.key} is not the key of the certificate in TLS_CERT`);
    expect(await readdir(folder.path)).toEqual(["cert.pem", "key.pem"]);
  });

  test("a data folder that cannot be created or written", async () => {
    await using folder = await makeFolder();
    const file = join(folder.path, "file");
    await writeFile(file, "");
    for (const dataDir of [join(file, "data"), file]) {
      const said = await refusal({ DATA_DIR: dataDir, PORT: "0" });
      expect(said).toContain(`DATA_DIR, ${dataDir}, cannot be used: E`);
      expect(said).toContain("DATABASE_URL");
    }
  });
});
