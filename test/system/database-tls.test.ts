/** What `DATABASE_URL` says holds for every connection: a PostgreSQL that takes TLS only, real processes, a real socket. */
import { once } from "node:events";
import { createServer } from "node:net";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import { CommitOutcomes } from "../../src/database/commit-outcomes.ts";
import { Database } from "../../src/database/database.ts";
import { type TransactionIdentity, transactionIdentity } from "../../src/database/transaction-identity.ts";
import { connectionTo } from "../support/database-address.ts";
import { captureLog } from "../support/log-capture.ts";
import { createTestDatabase } from "../support/postgres.ts";
import { ServerProcess } from "../support/processes.ts";
import { standardSchema } from "../support/schema.ts";
import { querySql } from "../support/sql.ts";
import { until } from "./load.ts";
import { MainProcess, makeFolder } from "./main-process.ts";
import { TlsPostgres } from "./tls-postgres.ts";

const verifyFull = { sslmode: "verify-full", sslrootcert: "authority.pem" };
const secret = "0123456789abcdef0123456789abcdef";

let own: TlsPostgres;
beforeAll(async () => {
  // Not for 127.0.0.1, where it can also be reached.
  own = await TlsPostgres.start("localhost");
});
afterAll(() => own[Symbol.asyncDispose]());

async function refusal(databaseUrl: string): Promise<string> {
  await using main = new MainProcess({ environment: { DATABASE_URL: databaseUrl, BYOND_SECRET: secret, PORT: "0" } });
  expect(await main.exited).toEqual({ code: 1, signal: null });
  // For the operator: no stack, no code, no password.
  expect(main.log).not.toMatch(/\n\s+at |node:internal|\.ts:\d|^\{/);
  expect(main.log).not.toContain(own.postgres.password);
  return main.log;
}

test("every connection is encrypted and its server verified: pool, lock and migrations, revocations, readiness, commands", async () => {
  const url = own.url(verifyFull);
  await using server = await ServerProcess.start({ databaseUrl: url });
  const { session } = await server.signUp();
  const { body } = await server.rest("POST", "/api-keys", { session, body: { name: "short-lived" } });
  expect((await server.rest("GET", "/lookup?number=%2B6591234567", { key: body.key })).status).toBe(200);
  expect((await server.rest("DELETE", `/api-keys/${body.id}`, { session })).status).toBeLessThan(300);
  await using command = new MainProcess({
    environment: { DATABASE_URL: url, BYOND_SECRET: secret },
    args: ["create-account", "--email", "ada@example.com", "--name", "Acme"],
    input: "correct horse battery\n",
  });
  expect((await command.exited).code).toBe(0);

  const now = await own.postgres.query<{ application_name: string; ssl: boolean }>(
    "SELECT DISTINCT application_name, ssl FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) WHERE application_name LIKE 'byond%' ORDER BY 1",
  );
  expect(now).toEqual(
    ["byond", "byond readiness", "byond revocations"].map((application_name) => ({ application_name, ssl: true })),
  );
  const ever = (await own.postgres.readLog())
    .split("\n")
    .filter((line) => /connection authorized: .*application_name=byond/.test(line));
  expect(ever.length).toBeGreaterThan(8);
  expect(ever.filter((line) => !line.includes("SSL enabled (protocol=TLSv1.3"))).toEqual([]);
  // The server's two; the command finds nothing to migrate, and has one.
  expect(ever.filter((line) => line.includes("application_name=byond migrations")).length).toBeGreaterThanOrEqual(3);
  expect(server.logLines).toContainEqual(
    expect.objectContaining({
      event: "started",
      database: {
        kind: "external",
        server: `localhost:${own.postgres.port}`,
        database: "byond",
        encrypted: "TLSv1.3",
        server_verified_by: "authority and name",
      },
    }),
  );
});

test("the connection that looks up the outcome of a lost COMMIT is encrypted and verified too", async () => {
  const connection = await connectionTo(own.url({ ...verifyFull, application_name: "lost" }));
  const [row] = await own.postgres.query<TransactionIdentity>(transactionIdentity("''"));
  await new CommitOutcomes(connection, "''").requireCommitted(row as TransactionIdentity, new Error("lost"));
  expect(await own.postgres.readLog()).toMatch(/connection authorized: .*application_name=lost outcomes SSL enabled/);
});

describe("the certificate that PostgreSQL must present", () => {
  test.each<[string, Record<string, string>, { readonly user?: string; readonly host?: string }, string]>([
    ["require: nothing", { sslmode: "require" }, {}, "nothing"],
    ["require, at another name", { sslmode: "require" }, { host: "127.0.0.1" }, "nothing"],
    [
      "require with sslrootcert: an authority",
      { ...verifyFull, sslmode: "require" },
      { host: "127.0.0.1" },
      "authority",
    ],
    ["verify-ca: an authority", { ...verifyFull, sslmode: "verify-ca" }, { host: "127.0.0.1" }, "authority"],
    ["verify-full: an authority and the name", verifyFull, {}, "authority and name"],
    [
      "with a client certificate",
      { ...verifyFull, sslcert: "carol.pem", sslkey: "carol.key" },
      { user: "carol" },
      "authority and name",
    ],
  ])("%s", async (_what, parameters, place, verifiedBy) => {
    const url = own.url(parameters, place);
    const database = await Database.open({
      connection: await connectionTo(url),
      logger: captureLog().logger,
      ...standardSchema,
    });
    try {
      expect(database.security).toMatchObject({ encrypted: "TLSv1.3", server_verified_by: verifiedBy });
      const [session] = await querySql<{ ssl: boolean; client_dn: string | null }>(
        database,
        { name: "own_ssl", text: "SELECT ssl, client_dn FROM pg_stat_ssl WHERE pid = pg_backend_pid()" },
        [],
      );
      expect(session).toEqual({ ssl: true, client_dn: place.user === "carol" ? "/CN=carol" : null });
    } finally {
      await database.close();
    }
  });

  test("verify-full with an IP address takes a certificate that names the address", async () => {
    await using byAddress = await TlsPostgres.start("127.0.0.1");
    const open = async (host: string) => {
      const connection = await connectionTo(byAddress.url(verifyFull, { host }));
      return Database.open({ connection, logger: captureLog().logger, ...standardSchema });
    };
    const database = await open("127.0.0.1");
    expect(database.security).toMatchObject({ encrypted: "TLSv1.3", server_verified_by: "authority and name" });
    await database.close();
    await expect(open("localhost")).rejects.toThrow(/does not match certificate/);
  });
});

test("PGSSLMODE and PGSSLROOTCERT apply to a DATABASE_URL without sslmode", async () => {
  const environment = { PGSSLMODE: "verify-full", PGSSLROOTCERT: own.path("authority.pem") };
  await using server = await ServerProcess.start({ databaseUrl: own.url({}), environment });
  expect(server.logLines).toContainEqual(
    expect.objectContaining({
      database: expect.objectContaining({ encrypted: "TLSv1.3", server_verified_by: "authority and name" }),
    }),
  );
});

// Elsewhere the operating system has a store of its own, which a test cannot add to.
test.skipIf(process.platform !== "linux")("sslrootcert=system trusts the authorities of this machine", async () => {
  const databaseUrl = own.url({ sslrootcert: "system" });
  const environment = { SSL_CERT_FILE: own.path("authority.pem"), SSL_CERT_DIR: own.path("") };
  await using server = await ServerProcess.start({ databaseUrl, environment });
  expect(server.logLines).toContainEqual(
    expect.objectContaining({ database: expect.objectContaining({ server_verified_by: "authority and name" }) }),
  );
  expect(await refusal(databaseUrl)).toContain("No authority in sslrootcert");
});

describe("the server does not start, and explains why", () => {
  test.each<[string, Record<string, string>, { readonly user?: string; readonly host?: string }, RegExp]>([
    ["in the clear", {}, {}, /no encryption.*sslmode/s],
    ["in the clear, said so", { sslmode: "disable" }, {}, /no encryption/],
    [
      "verify-full at a name that the certificate lacks",
      verifyFull,
      { host: "127.0.0.1" },
      /127\.0\.0\.1.*verify-full/s,
    ],
    [
      "verify-full, by another authority",
      { ...verifyFull, sslrootcert: "stranger.pem" },
      {},
      /No authority in sslrootcert/,
    ],
    ["verify-ca", { sslmode: "verify-ca", sslrootcert: "stranger.pem" }, {}, /No authority in sslrootcert/],
    [
      "require with sslrootcert",
      { sslmode: "require", sslrootcert: "stranger.pem" },
      {},
      /No authority in sslrootcert/,
    ],
    [
      "sslrootcert that is not there",
      { ...verifyFull, sslrootcert: "no.pem" },
      {},
      /sslrootcert .*no\.pem cannot be used/,
    ],
    [
      "sslrootcert that is none",
      { ...verifyFull, sslrootcert: "text.pem" },
      {},
      /sslrootcert .*text\.pem .*no certificate/,
    ],
    ["no client certificate", verifyFull, { user: "carol" }, /client certificate/],
    [
      "a client certificate of somebody else",
      { ...verifyFull, sslcert: "mallory.pem", sslkey: "mallory.key" },
      { user: "carol" },
      /authentication failed for user "carol"/,
    ],
    [
      "a client certificate of another authority",
      { ...verifyFull, sslcert: "forged.pem", sslkey: "forged.key" },
      { user: "carol" },
      /server refused the certificate in sslcert/,
    ],
    [
      "a key of another certificate",
      { ...verifyFull, sslcert: "carol.pem", sslkey: "mallory.key" },
      {},
      /sslkey .*mallory/,
    ],
  ])("%s", async (_what, parameters, place, problem) => {
    const said = await refusal(own.url(parameters, place));
    expect(said).toContain("DATABASE_URL");
    expect(said).toMatch(problem);
  });

  test("if PostgreSQL has no TLS", async () => {
    expect(await refusal(`${inject("postgresUrl")}?sslmode=require`)).toMatch(/DATABASE_URL .*sslmode=disable/);
  });
});

test.each([
  ["says that it has no TLS", "N"],
  ["slips in bytes before the handshake", "SE"],
])("a man in the middle who %s sees neither a name nor a password", async (_what, answer) => {
  const seen: Buffer[] = [];
  const impostor = createServer((socket) => {
    socket.on("error", () => undefined);
    socket.on("data", (chunk) => {
      seen.push(chunk);
      socket.write(answer);
    });
  }).listen(0, "127.0.0.1");
  await once(impostor, "listening");
  const address = impostor.address();
  const port = typeof address === "object" ? address?.port : undefined;
  const connection = await connectionTo(`postgres://byond:hunter2@127.0.0.1:${port}/byond?sslmode=require`);
  await expect(Database.open({ connection, logger: captureLog().logger, ...standardSchema })).rejects.toThrow("SSL");
  // SSLRequest, and nothing else.
  expect(Buffer.concat(seen).toString("hex")).toBe("0000000804d2162f");
  impostor.close();
});

test("a server that no longer trusts PostgreSQL's certificate answers 503 to every call, and recovers when it does", async () => {
  await using server = await ServerProcess.start({ databaseUrl: own.url(verifyFull) });
  const { session } = await server.signUp();
  const key = await server.mintKey();
  await own.present("foreign");
  const start = { key, body: { channel: "email", to: "ada@example.com" } };
  const refused = await Promise.all([
    server.rest("GET", "/api-keys", { session }),
    server.rest("POST", "/api-keys", { session, body: { name: "one more" } }),
    server.rest("POST", "/verify/start", start),
    server.rest("POST", "/auth/sign-in", { body: { email: "nobody@example.com", password: "correct horse battery" } }),
  ]);
  expect(refused.map(({ status, body }) => [status, body.error?.code])).toEqual(
    refused.map(() => [503, "unavailable"]),
  );
  expect(server.logLines).toContainEqual(
    expect.objectContaining({
      event: "call_failed",
      code: "unavailable",
      error: expect.objectContaining({ cause: expect.objectContaining({ message: "certificate signature failure" }) }),
    }),
  );
  await own.present("trusted");
  await until(
    "the server goes on",
    30_000,
    async () => (await server.rest("GET", "/api-keys", { session })).status === 200,
  );
});

test("the lists that the ORM reads answer 503 too", async () => {
  const connection = await connectionTo(own.url(verifyFull));
  const database = await Database.open({ connection, logger: captureLog().logger, ...standardSchema });
  const ask = () => database.withEntities([], (entities) => entities.getConnection().execute("SELECT 1 AS one"));
  await own.present("foreign");
  await expect(ask()).rejects.toMatchObject({ code: "unavailable" });
  await own.present("trusted");
  expect(await ask()).toEqual([{ one: 1 }]);
  await database.close();
});

test("with a Unix socket, all connections reach the same PostgreSQL", async () => {
  const { postgres } = own;
  await using server = await ServerProcess.start({ databaseUrl: postgres.url });
  expect(server.logLines).toContainEqual(
    expect.objectContaining({
      event: "started",
      database: expect.objectContaining({ encrypted: false, server_verified_by: "nothing" }),
    }),
  );
  await server.mintKey();
  const sessions = await postgres.query<{ application_name: string; client_addr: string | null }>(
    "SELECT DISTINCT application_name, client_addr FROM pg_stat_activity WHERE application_name LIKE 'byond%' ORDER BY 1",
  );
  expect(sessions).toEqual(
    ["byond", "byond readiness", "byond revocations"].map((application_name) => ({
      application_name,
      client_addr: null,
    })),
  );
});

describe("environment variables of libraries do not change the database", () => {
  const elsewhere = {
    MIKRO_ORM_HOST: "192.0.2.1",
    MIKRO_ORM_PORT: "9",
    MIKRO_ORM_DB_NAME: "other",
    MIKRO_ORM_PASSWORD: "other",
    MIKRO_ORM_SCHEMA: "other",
    MIKRO_ORM_CLIENT_URL: "postgres://other@192.0.2.1/other",
  };

  test("of a server on an external database", async () => {
    const database = await createTestDatabase();
    await using server = await ServerProcess.start({ databaseUrl: database.url, environment: elsewhere });
    await server.mintKey();
    await server.stop();
    await database.drop();
  });

  test("of a server on its embedded database", async () => {
    await using folder = await makeFolder();
    await using main = new MainProcess({
      environment: {
        ...elsewhere,
        PGHOST: "192.0.2.1",
        PGSSLMODE: "require",
        PGOPTIONS: "-c search_path=other",
        PGREPLICATION: "true",
        DATA_DIR: join(folder.path, "data"),
        PORT: "0",
      },
    });
    expect((await fetch(`${await main.url()}/readyz`)).status).toBe(200);
    await main.stop();
  });

  test("libpq's variables do not complete a DATABASE_URL", async () => {
    await using main = new MainProcess({
      environment: { DATABASE_URL: inject("postgresUrl"), BYOND_SECRET: secret, PGOPTIONS: "-c search_path=other" },
    });
    expect((await main.exited).code).toBe(1);
    expect(main.log).toContain("PGOPTIONS is not supported: set options in DATABASE_URL, or unset PGOPTIONS");
  });
});
