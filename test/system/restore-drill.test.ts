/**
 * The drill of "A backup is restored" in docs/guides/operations.md. The backup is a copy of the database (`CREATE DATABASE … TEMPLATE`), made
 * after a server was killed: its row is in it, as in a dump of a database in use.
 */
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import pg from "pg";
import { afterAll, beforeAll, expect, test } from "vitest";
import { SmtpSink } from "../capabilities/channels/smtp-sink.ts";
import { createMigratedDatabase } from "../support/app.ts";
import { createTestDatabase, type TestDatabase } from "../support/postgres.ts";
import { ServerProcess } from "../support/processes.ts";
import { MainProcess, makeFolder } from "./main-process.ts";

const secret = "a secret of the tests that is long enough";

let sink: SmtpSink;
let original: TestDatabase;
beforeAll(async () => {
  sink = await SmtpSink.open();
  original = await createMigratedDatabase();
});
afterAll(async () => {
  await original.drop();
  await sink.close();
});

const start = (databaseUrl: string) =>
  ServerProcess.start({ databaseUrl, environment: { SMTP_URL: sink.url, MAIL_FROM: "Acme <codes@acme.example>" } });

/** `byond after-restore` in a process of its own. */
async function afterRestore(databaseUrl: string, args: readonly string[] = [], changes: Record<string, string> = {}) {
  await using main = new MainProcess({
    args: ["after-restore", ...args],
    environment: { DATABASE_URL: databaseUrl, BYOND_SECRET: secret, ...changes },
  });
  const { code } = await main.exited;
  return { code, output: main.output, said: main.log };
}

const nameOf = (url: string) => new URL(url).pathname.slice(1);

test("after a restore no old session holds, keys are told, a revoked one is revoked again, and a pending code is right", async () => {
  await using folder = await makeFolder();
  const before = await start(original.url);
  const { session } = await before.signUp();
  const mint = async (name: string) =>
    (await before.rest("POST", "/api-keys", { session, body: { name, mode: "live" } })).body;
  const kept = await mint("kept");
  const revoked = await mint("revoked later");
  const started = await before.rest("POST", "/verify/start", {
    key: kept.key,
    body: { channel: "email", recipient: "ann@example.com" },
  });
  expect(started.status).toBe(201);
  const [mail] = await sink.received(1);
  const code = /\b\d{6}\b/.exec(mail?.source ?? "")?.[0];

  // The backup, and what happens after it.
  await before.kill();
  const backup = await createTestDatabase(nameOf(original.url));
  await using later = await start(original.url);
  const statuses = [
    (await later.rest("DELETE", `/api-keys/${revoked.id}`, { session })).status,
    (await later.rest("POST", "/auth/logout-all", { session, body: {} })).status,
    (await later.rest("GET", "/api-keys", { session })).status,
  ];
  expect(statuses).toEqual([200, 200, 401]);
  await expect.poll(() => lastPosition(original.url, "api_key.revoked")).toBeGreaterThan(0);
  const position = await lastPosition(original.url);
  await later.kill();

  const restored = await createTestDatabase(nameOf(backup.url));
  try {
    const wrong = await afterRestore(restored.url, [], {
      BYOND_SECRET: "another secret of the tests that is long enough",
    });
    expect(wrong).toMatchObject({ code: 1, output: "" });
    expect(wrong.said).toMatch(
      /^The backup belongs to another secret: BYOND_SECRET lacks the secret \w{8}: .*Nothing was changed\.\n$/s,
    );

    const keys = join(folder.path, "keys.csv");
    const toRevoke = join(folder.path, "revoked");
    await writeFile(toRevoke, `${revoked.id}\n`);
    const done = await afterRestore(restored.url, ["--revoked", toRevoke, "--keys", keys]);
    expect(done).toMatchObject({ code: 0, said: "" });
    expect(done.output).toContain("Sessions ended: 1.\n");
    expect(done.output).toContain(`Keys revoked again: 1, of 1 in ${toRevoke}.\n`);
    expect(done.output).toMatch(/^The backup was made at \S+Z or a little later\./m);
    const rows = (await readFile(keys, "utf8")).trim().split("\n");
    expect(rows.slice(1).map((row) => row.split(",")[0])).toEqual([kept.id]);

    for (const [encoding, mark] of [
      ["utf16le", "\ufeff"],
      ["utf16le", ""],
    ] as const) {
      await writeFile(toRevoke, `${mark}${revoked.id}\n`, encoding);
      const unread = await afterRestore(restored.url, ["--revoked", toRevoke]);
      expect(unread).toMatchObject({ code: 1, said: `--revoked: ${toRevoke} is not text in UTF-8.\n` });
    }
    await writeFile(toRevoke, `\ufeff${kept.key_prefix},\r\n\r\n${kept.key}\r\nkey_misspelt\r\n${revoked.id}\r\n`);
    const marked = await afterRestore(backup.url, ["--revoked", toRevoke]);
    expect(marked.output).toContain(`Keys revoked again: 2, of 4 in ${toRevoke}.\n`);
    expect(marked.output).toContain(
      "WARNING: no key of the backup is named by line 3, line 4 (key_misspelt). Keys that",
    );
    expect(marked.output).not.toContain(kept.key);

    await using after = await start(restored.url);
    expect((await after.rest("GET", "/api-keys", { session })).status).toBe(401);
    expect((await after.rest("GET", `/verify/${started.body.verification_id}`, { key: revoked.key })).status).toBe(401);
    const checked = await after.rest("POST", "/verify/check", {
      key: kept.key,
      body: { verification_id: started.body.verification_id, code },
    });
    expect(checked).toMatchObject({ status: 200, body: { status: "approved" } });
    await expect.poll(() => lastPosition(restored.url)).toBeGreaterThan(position);

    const running = await afterRestore(restored.url);
    expect(running).toMatchObject({ code: 1, output: "" });
    expect(running.said).toMatch(/^Servers run on this database: srv_\S+\. Stop them first\. Nothing was changed\.\n$/);
  } finally {
    await restored.drop();
    await backup.drop();
  }
});

/** The highest position of an event, or of one of a type. */
async function lastPosition(url: string, type = "%"): Promise<number> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    const { rows } = await client.query(
      "SELECT coalesce(max(position), 0)::float8 AS position FROM event WHERE type LIKE $1",
      [type],
    );
    return rows[0].position;
  } finally {
    await client.end();
  }
}
