/** What the command `reseal` does with suppressions, which it reseals, and with fixed codes, which it waits for. */
import pg from "pg";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { createKeyring } from "../../../src/crypto/keyring.ts";
import { password, startTestApp, type TestApp } from "../../support/app.ts";
import { runCommand } from "../../support/run-command.ts";
import { markUndeliverable } from "../suppressions/mark-undeliverable.ts";

const old = "the old secret which has thirty-two bytes";
const fresh = "the new secret which has thirty-two bytes";
const settings = { inbox: "all", allowsFixedCodes: true } as const;

let before: TestApp;
let client: pg.Client;
let session: string;
let key: string;
beforeEach(async () => {
  before = await startTestApp({ secrets: [old, fresh], ...settings });
  ({ session } = await before.signUp());
  key = (await before.rest("POST", "/api-keys", { session, body: { name: "test", mode: "test" } })).body.key;
  client = new pg.Client({ connectionString: before.databaseUrl });
  await client.connect();
});
afterEach(async () => {
  await client.end();
  await before[Symbol.asyncDispose]();
});

const reseal = () => runCommand("reseal", before.databaseUrl, { options: {}, input: "", secrets: [fresh, old] });

const start = (app: TestApp, recipient: string, withKey = key) =>
  app.rest("POST", "/verify/start", { key: withKey, body: { channel: "email", recipient } });

/** Starts a verification for each, and returns their ids once their messages are recorded. */
async function sent(app: TestApp, ...recipients: readonly string[]): Promise<string[]> {
  const answers = await Promise.all(recipients.map((recipient) => start(app, recipient)));
  expect(answers.map(({ status }) => status)).toEqual(recipients.map(() => 201));
  const ids = answers.map(({ body }) => String(body.verification_id));
  await vi.waitFor(async () => {
    const { rows } = await client.query("SELECT FROM delivery_attempt WHERE subject_id = ANY ($1)", [ids]);
    expect(rows).toHaveLength(ids.length);
  }, 10_000);
  return ids;
}

const suppressionsOf = async (app: TestApp, filter = "") =>
  (await app.rest("GET", `/suppressions${filter}`, { key })).body.suppressions;

test("after a reseal, suppressions refuse starts, are read, found and deleted with the new secret alone", async () => {
  const [id = "", twice = ""] = await sent(before, "Gone+1@example.com", "twice@example.com");
  await markUndeliverable(before.databaseUrl, id);
  await before.rest("POST", `/verify/${id}/cancel`, { key });
  await before.app.close();

  await using between = await before.startAnother({ secrets: [fresh, old], ...settings });
  expect((await start(between, "gone+1@example.com")).status).toBe(422);
  // Suppressed under both secrets: the later one is kept.
  const [again = ""] = await sent(between, "twice@example.com");
  await markUndeliverable(before.databaseUrl, twice, "under the old secret");
  await markUndeliverable(before.databaseUrl, again, "under the new secret");
  await between.rest("POST", `/verify/${twice}/cancel`, { key });
  const shown = await suppressionsOf(between, "?recipient=gone%2B1@example.com");
  expect(shown).toMatchObject([{ verification_id: id }]);
  await reseal();
  await reseal();
  await between.app.close();

  await using after = await before.startAnother({ secrets: [fresh], ...settings });
  expect(await suppressionsOf(after, "?recipient=gone%2B1@example.com")).toEqual(shown);
  expect(await suppressionsOf(after)).toMatchObject([
    { verification_id: again, reason: "under the new secret" },
    { verification_id: id },
  ]);
  expect((await start(after, "gone+1@example.com")).body.error.code).toBe("undeliverable");
  expect((await after.rest("DELETE", `/suppressions/${shown[0].suppression_id}`, { key })).status).toBe(200);
  expect((await start(after, "gone+1@example.com")).status).toBe(201);
});

test("more suppressions than a batch holds are all resealed", async () => {
  await sent(before, ...Array.from({ length: 210 }, (_, index) => `gone-${index}@example.com`));
  await client.query("UPDATE delivery_attempt SET undeliverable = true");
  await client.query("UPDATE verification SET status = 'canceled'");
  await before.app.close();
  await reseal();
  const { rows } = await client.query(
    "SELECT encode(substring(recipient_sealed FROM 1 FOR 4), 'hex') AS secret, count(*)::integer FROM suppression GROUP BY 1",
  );
  expect(rows).toEqual([{ secret: createKeyring([fresh]).current.id, count: 210 }]);
});

test("the code of a fixed code stays the same; the secret that it is derived from is needed until it is gone", async () => {
  const { body: live } = await before.rest("POST", "/api-keys", { session, body: { name: "live" } });
  const recipient = "reviewer@example.com";
  const { body: fixed } = await before.rest("POST", "/fixed-codes", { session, body: { recipient, password } });
  await before.app.close();

  await using between = await before.startAnother({ secrets: [fresh, old], ...settings });
  const day = fixed.expires_at.slice(0, 10);
  await expect(reseal()).rejects.toThrow(`Codes sealed with another secret are pending until ${day}`);
  const { body: started } = await start(between, recipient, live.key);
  const check = { verification_id: started.verification_id, code: fixed.code };
  expect((await between.rest("POST", "/verify/check", { key: live.key, body: check })).body).toMatchObject({
    status: "approved",
    fixed_code: true,
  });
  await expect(before.startAnother({ secrets: [fresh], ...settings })).rejects.toThrow(
    `1 fixed codes are derived from it, until ${day}`,
  );
  expect((await between.rest("DELETE", `/fixed-codes/${fixed.id}`, { session })).status).toBe(200);
  await reseal();
  await between.app.close();
  await using after = await before.startAnother({ secrets: [fresh], ...settings });
  const { body: plain } = await start(after, recipient, live.key);
  const { body: shown } = await after.rest("GET", `/verify/${plain.verification_id}`, { key: live.key });
  expect([shown.status, shown.fixed_code]).toEqual(["pending", undefined]);
});
