/** Servers with different master secrets on one database, and rows whose secret is about to leave: real processes. */
import pg from "pg";
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import { createKeyring } from "../../src/crypto/keyring.ts";
import { createMigratedDatabase } from "../support/app.ts";
import { ServerProcess } from "../support/processes.ts";
import { until } from "./load.ts";
import { MainProcess } from "./main-process.ts";

/** Most of them start several servers, some of which wait to be refused. */
vi.setConfig({ testTimeout: 180_000 });

const old = "the old secret which has thirty-two bytes";
const fresh = "the new secret which has thirty-two bytes";
const idOf = (secret: string) => createKeyring([secret]).current.id;

let database: Awaited<ReturnType<typeof createMigratedDatabase>>;
let client: pg.Client;
beforeAll(async () => {
  database = await createMigratedDatabase();
  client = new pg.Client({ connectionString: database.url });
  await client.connect();
});
afterAll(async () => {
  await client.end();
  await database.drop();
});
beforeEach(async () => {
  await client.query("TRUNCATE verification, master_secret, server, throttle, outbox");
});

const startServer = (secrets: readonly string[], environment: Readonly<Record<string, string>> = {}) =>
  ServerProcess.start({
    databaseUrl: database.url,
    environment: { BYOND_SECRET: secrets.join(","), METRICS_TOKEN: "a token of the tests", ...environment },
  });

/** What a start says that is refused. */
async function refusal(secrets: readonly string[], changes: Readonly<Record<string, string>> = {}): Promise<string> {
  const environment = { DATABASE_URL: database.url, BYOND_SECRET: secrets.join(","), PORT: "0", ...changes };
  await using server = new MainProcess({ environment });
  const { code } = await server.exited;
  expect(code).toBe(1);
  expect(server.output).toBe("");
  return server.log;
}

async function metric(server: ServerProcess, name: string): Promise<number> {
  const response = await fetch(`${server.url}/metrics`, { headers: { Authorization: "Bearer a token of the tests" } });
  const line = (await response.text()).split("\n").find((text) => text.startsWith(`byond_${name} `));
  return Number(line?.split(" ")[1]);
}

const startTo = (server: ServerProcess, key: string, recipient: string) =>
  server.rest("POST", "/verify/start", { key, body: { channel: "email", recipient } });

describe("next to running servers", () => {
  test("a server with another secret is refused and told what differs; the running one is not disturbed", async () => {
    await using server = await startServer([old]);
    const said = await refusal([fresh]);
    expect(said).toContain("BYOND_SECRET does not fit the server srv_");
    expect(said).toContain(`it seals with the secret ${idOf(old)}, which this server does not have`);
    expect(said).not.toContain(fresh);
    expect(await metric(server, "disagreeing_servers")).toBe(0);
    expect(await server.readiness()).toBe(200);
  });

  test.each([
    ["its first", [old], [old, fresh]],
    ["its second", [old, fresh], [fresh, old]],
    ["its third", [fresh, old], [fresh]],
  ])("servers before and after a step of a rotation run side by side: %s", async (_step, before, after) => {
    await using one = await startServer(before);
    await using other = await startServer(after);
    await using another = await startServer(before);
    for (const server of [one, other, another]) {
      expect(await server.readiness()).toBe(200);
      expect(await metric(server, "disagreeing_servers")).toBe(0);
    }
  });

  test.each([
    ["without the first step", [old], [fresh, old], `this server would seal with the secret ${idOf(fresh)}`],
    ["without the second", [old, fresh], [fresh], `it seals with the secret ${idOf(old)}`],
    ["back without the second", [fresh], [old, fresh], `this server would seal with the secret ${idOf(old)}`],
  ])("a rotation that leaves out a step is refused: %s", async (_what, before, after, reason) => {
    await using server = await startServer(before);
    expect(await refusal(after)).toContain(reason);
    expect(server.isRunning).toBe(true);
  });

  test("of servers that start at once with different secrets, one serves and the others are refused", async () => {
    const starts = await Promise.allSettled(
      [old, fresh, `${old} too`, `${fresh} too`].map((secret) => startServer([secret])),
    );
    const servers = starts.flatMap((start) => (start.status === "fulfilled" ? [start.value] : []));
    await using resources = new AsyncDisposableStack();
    for (const server of servers) {
      resources.use(server);
    }
    expect(servers).toHaveLength(1);
    for (const start of starts) {
      expect(start.status === "fulfilled" || String(start.reason).includes("does not fit the server")).toBe(true);
    }
  });

  test("a server with other secrets may replace one that was killed", async () => {
    const killed = await startServer([old]);
    await killed.kill();
    await using server = await startServer([fresh]);
    expect(await server.readiness()).toBe(200);
  });

  test("running servers that come to disagree report it in log and metrics, until they agree again", async () => {
    await using server = await startServer([old]);
    await client.query(
      `INSERT INTO server (id, lease_ms, applied_seq, database_started_at, renewed_at, secret_ids)
       VALUES ('srv_other', 600000, 1000000, pg_postmaster_start_time(), byond_now(), ARRAY[$1])`,
      [idOf(fresh)],
    );
    await expect.poll(() => metric(server, "disagreeing_servers"), { timeout: 10_000 }).toBe(1);
    await client.query("DELETE FROM server WHERE id = 'srv_other'");
    await expect.poll(() => metric(server, "disagreeing_servers"), { timeout: 10_000 }).toBe(0);
    const said = server.logLines.filter(({ event }) => event.startsWith("secrets_"));
    expect(said.map(({ level, event, servers }) => [level, event, servers])).toEqual([
      ["error", "secrets_differ", ["srv_other"]],
      ["info", "secrets_agree", undefined],
    ]);
  });
});

describe("rows that are sealed with a secret", () => {
  test("a start without the secret is refused, and says how many rows need it and until when; with it, they can be erased", async () => {
    {
      await using server = await startServer([old]);
      const key = await server.mintKey();
      await startTo(server, key, "one@example.com");
      await startTo(server, key, "two@example.com");
    }
    const until = new Date(Date.now() + 7 * 86_400_000).toISOString().slice(0, 10);
    const said = await refusal([fresh], { RETENTION_DAYS: "7" });
    expect(said).toContain(`BYOND_SECRET lacks the secret ${idOf(old)}: 2 verifications hold recipients`);
    expect(said).toContain(`until ${until} (RETENTION_DAYS=7)`);
    {
      await using server = await startServer([fresh, old]);
      const key = await server.mintKey();
      await startTo(server, key, "three@example.com");
      expect((await client.query("SELECT id FROM master_secret ORDER BY first_used_at")).rows).toEqual([
        { id: idOf(old) },
        { id: idOf(fresh) },
      ]);
    }
    // Erased or swept: nothing needs it any more, and it is forgotten.
    await client.query("UPDATE verification SET recipient_sealed = NULL, recipient_index = NULL WHERE secret_id = $1", [
      idOf(old),
    ]);
    await using server = await startServer([fresh]);
    expect(await server.readiness()).toBe(200);
    expect((await client.query("SELECT id FROM master_secret")).rows).toEqual([{ id: idOf(fresh) }]);
  });

  test("a recipient that was sealed by a resend on a server with a newer secret needs that secret", async () => {
    {
      await using server = await startServer([fresh, old]);
      const key = await server.mintKey({ mode: "test" });
      const { body } = await startTo(server, key, "one@example.com");
      await using beside = await startServer([old, fresh]);
      const resent = { channel: "whatsapp", recipient: "+6591234567" };
      const { status } = await beside.rest("POST", `/verify/${body.verification_id}/resend`, { key, body: resent });
      expect(status).toBe(200);
    }
    expect(await refusal([fresh])).toContain(`lacks the secret ${idOf(old)}: 1 verifications`);
  });

  test("of a lost secret are erased by forget-secret, which touches no others, and then a server starts", async () => {
    {
      await using server = await startServer([old]);
      const key = await server.mintKey({ mode: "test" });
      await startTo(server, key, "lost@example.com");
      await using beside = await startServer([old, fresh]);
      expect(await forget(idOf(old))).toMatchObject({ code: 1 });
      expect(beside.isRunning).toBe(true);
    }
    const key = await (async () => {
      await using server = await startServer([fresh, old]);
      const key = await server.mintKey({ mode: "test" });
      await startTo(server, key, "kept@example.com");
      return key;
    })();
    await until("no server has it", 10_000, async () => {
      const { rows } = await client.query("SELECT FROM server WHERE renewed_at > byond_now() - interval '4 seconds'");
      return rows.length === 0;
    });
    const unknown = await forget("00000000");
    expect(unknown).toMatchObject({ code: 1 });
    expect(unknown.written).toContain("No server has used the secret 00000000");
    const current = await forget(idOf(fresh));
    expect(current).toMatchObject({ code: 1 });
    expect(current.written).toContain("it is configured on this machine");
    const { code, written } = await forget(idOf(old));
    expect({ code, written }).toMatchObject({ code: 0 });
    expect(written).toContain("Erased what was sealed with it in 1 rows.");

    await using server = await startServer([fresh]);
    const erase = async (recipient: string) => {
      const { body } = await server.rest("POST", "/verifications/erase", { key, body: { recipient } });
      return body;
    };
    expect(await erase("kept@example.com")).toEqual({ erased: 1 });
    const { rows } = await client.query("SELECT status, recipient_sealed, recipient_index FROM verification");
    expect(rows).toEqual([
      { status: "canceled", recipient_sealed: null, recipient_index: null },
      { status: "canceled", recipient_sealed: null, recipient_index: null },
    ]);
  });

  test("are found by an index: a million rows of other times do not slow the start down", async () => {
    await client.query(
      `INSERT INTO master_secret VALUES ($1, byond_now() - interval '20 days', byond_now() - interval '10 days')`,
      [idOf(old)],
    );
    await client.query(
      `INSERT INTO verification (workspace_id, id, mode, channel, status, brand, metadata, code_length, secret_id, max_attempts, created_at, expires_at, recipient_sealed)
       SELECT 'ws', 'vrf_' || n, 'live', 'email', 'approved', 'b', '{}', 6, $1, 5, byond_now() - n * interval '0.2 seconds', byond_now(), '\\x00'
       FROM generate_series(1, 200000) AS n`,
      [idOf(fresh)],
    );
    await client.query("ANALYZE verification");
    const { rows } = await client.query(
      `EXPLAIN (ANALYZE, FORMAT JSON) SELECT 1 FROM verification
       WHERE created_at >= byond_now() - interval '21 days' AND created_at <= now() - interval '9 days' AND created_at < 'infinity'
         AND ((secret_id = $1 AND recipient_sealed IS NOT NULL) OR substring(second_recipient_sealed FROM 1 FOR 4) = decode($1, 'hex'))
       ORDER BY created_at DESC LIMIT 1`,
      [idOf(old)],
    );
    expect(JSON.stringify(rows)).toContain("verification_oldest_first");
    await using server = await startServer([fresh]);
    expect(await server.readiness()).toBe(200);
  });
});

describe("clocks", () => {
  const clockAhead = (interval: string) =>
    client.query(
      `CREATE OR REPLACE FUNCTION byond_now() RETURNS timestamptz LANGUAGE sql VOLATILE
       AS 'SELECT clock_timestamp() + interval ''${interval}'''`,
    );

  test("a server whose clock is more than five minutes from PostgreSQL's is refused; a smaller difference is logged and measured", async () => {
    await using resources = new AsyncDisposableStack();
    resources.defer(async () => void (await clockAhead("0 seconds")));
    await clockAhead("400 seconds");
    expect(await refusal([old])).toContain("the clock of PostgreSQL is 400 seconds ahead of that of this machine");
    await clockAhead("-400 seconds");
    expect(await refusal([old])).toContain("the clock of PostgreSQL is 400 seconds behind that of this machine");

    await clockAhead("60 seconds");
    await using server = await startServer([old]);
    await expect.poll(() => metric(server, "clock_offset_seconds"), { timeout: 10_000 }).toBeGreaterThan(59);
    await clockAhead("0 seconds");
    await expect.poll(() => metric(server, "clock_offset_seconds"), { timeout: 10_000 }).toBe(0);
    const said = () =>
      server.logLines.filter(({ event }) => event.startsWith("clock_")).map(({ level, event }) => [level, event]);
    // The metric may be read before the line of the log has arrived.
    await expect.poll(said, { timeout: 10_000 }).toEqual([
      ["warn", "clock_differs"],
      ["info", "clock_agrees"],
    ]);
  });
});

/** `npm run forget-secret`, by a machine whose own secret is the new one. */
async function forget(id: string): Promise<{ readonly code: number | null; readonly written: string }> {
  const environment = { DATABASE_URL: database.url, BYOND_SECRET: fresh };
  await using command = new MainProcess({ args: ["forget-secret", "--id", id], environment });
  const { code } = await command.exited;
  return { code, written: command.written };
}
