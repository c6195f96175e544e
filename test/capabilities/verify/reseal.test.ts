/** The command `reseal` reseals recipients from an old master secret to the new one, while servers run. */
import pg from "pg";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { createKeyring } from "../../../src/crypto/keyring.ts";
import { startTestApp, type TestApp } from "../../support/app.ts";
import { runCommand } from "../../support/run-command.ts";

const old = "the old secret which has thirty-two bytes";
const fresh = "the new secret which has thirty-two bytes";
const idOf = (secret: string) => createKeyring([secret]).current.id;

let before: TestApp;
let client: pg.Client;
let key: string;
beforeEach(async () => {
  before = await startTestApp({ secrets: [old, fresh], inbox: "all" });
  key = await before.mintKey({ mode: "test" });
  client = new pg.Client({ connectionString: before.databaseUrl });
  await client.connect();
});
afterEach(async () => {
  await client.end();
  await before[Symbol.asyncDispose]();
});

const reseal = (secrets: readonly string[] = [fresh, old]) =>
  runCommand("reseal", before.databaseUrl, { options: {}, input: "", secrets });

async function start(app: TestApp, recipient: string, more: object = {}): Promise<string> {
  const body = { channel: "email", recipient, ...more };
  const answer = await app.rest("POST", "/verify/start", { key, body });
  expect(answer.status).toBe(201);
  return answer.body.verification_id;
}

const approve = (app: TestApp, id: string, fields: object = {}) =>
  app.rest("POST", "/verify/check", { key, body: { verification_id: id, code: "000000", ...fields } });

/** The secrets that rows need. */
async function secretsInUse(): Promise<unknown[]> {
  const { rows } = await client.query(`
    SELECT DISTINCT secret FROM verification, unnest(ARRAY[
      CASE WHEN recipient_sealed IS NOT NULL THEN secret_id END, encode(substring(recipient_sealed FROM 1 FOR 4), 'hex'),
      encode(substring(second_recipient_sealed FROM 1 FOR 4), 'hex'), encode(substring(end_user_sealed FROM 1 FOR 4), 'hex'),
      encode(substring(approval_sealed FROM 1 FOR 4), 'hex')
    ]) AS secret WHERE secret IS NOT NULL`);
  return rows.map(({ secret }) => secret);
}

test("after a reseal, ended verifications are read, found and erased with the new secret alone; pending ones are waited for", async () => {
  const payment = { payee: "Ada", amount: { value: "10.50", currency: "EUR" } };
  const approved = await start(before, "Ada+1@example.com", { end_user_ip: "203.0.113.7" });
  const resend = { channel: "whatsapp", recipient: "+6591234567" };
  expect((await before.rest("POST", `/verify/${approved}/resend`, { key, body: resend })).status).toBe(200);
  await approve(before, approved);
  const paid = await start(before, "paid@example.com", payment);
  await approve(before, paid, payment);
  const erased = await start(before, "erased@example.com");
  await before.rest("POST", "/verifications/erase", { key, body: { recipient: "erased@example.com" } });
  const pending = await start(before, "pending@example.com");
  const seen = async (app: TestApp, id: string) => (await app.rest("GET", `/verify/${id}`, { key })).body;
  // Deliveries are recorded shortly after the answers.
  await vi.waitFor(
    async () => {
      const { rows } = await client.query("SELECT id FROM outbox WHERE status = 'pending'");
      expect(rows).toEqual([]);
    },
    { timeout: 20_000 },
  );
  const shown = await Promise.all([approved, erased, paid].map((id) => seen(before, id)));
  expect(shown[2]).toMatchObject({ status: "approved", ...payment });

  // As long as a server writes with the old one, there would be new rows of it.
  await expect(reseal()).rejects.toThrow(`seals with the secret ${idOf(old)}, not with ${idOf(fresh)}`);
  await expect(reseal([fresh])).rejects.toThrow('set BYOND_SECRET to "new,old"');
  await before.app.close();
  await using between = await before.startAnother({ secrets: [fresh, old], inbox: "all" });
  await expect(reseal()).rejects.toThrow(/^Codes sealed with another secret are pending until 20/);
  expect(new Set(await secretsInUse())).toEqual(new Set([idOf(old), idOf(fresh)]));
  expect((await approve(between, pending)).body.status).toBe("approved");
  expect(await Promise.all([approved, erased, paid].map((id) => seen(between, id)))).toEqual(shown);
  await reseal();
  await reseal();
  expect(await secretsInUse()).toEqual([idOf(fresh)]);
  await between.app.close();

  await using after = await before.startAnother({ secrets: [fresh], inbox: "all" });
  expect(await Promise.all([approved, erased, paid].map((id) => seen(after, id)))).toEqual(shown);
  const erase = async (recipient: string) =>
    (await after.rest("POST", "/verifications/erase", { key, body: { recipient } })).body.erased;
  expect([await erase("ada@example.com"), await erase("+6591234567"), await erase("pending@example.com")]).toEqual([
    0, 1, 1,
  ]);
});

test("resealed rows older than the new secret's first use still need it: a server without it does not start", async () => {
  await approve(before, await start(before, "ada@example.com"));
  await before.app.close();
  await client.query(`
    UPDATE verification SET created_at = created_at - interval '20 days', expires_at = expires_at - interval '20 days'`);
  await client.query(`UPDATE master_secret SET first_used_at = first_used_at - interval '20 days'`);
  await reseal();
  expect(await secretsInUse()).toEqual([idOf(fresh)]);
  await expect(before.startAnother({ secrets: [old] })).rejects.toThrow(
    `lacks the secret ${idOf(fresh)}: 1 verifications hold recipients`,
  );
});

test("rows that end or are locked during a reseal are resealed as well", async () => {
  const [held, late] = [await start(before, "held@example.com"), await start(before, "late@example.com")];
  await approve(before, held);
  await before.app.close();
  await using between = await before.startAnother({ secrets: [fresh, old], inbox: "all" });
  await client.query(`BEGIN; SELECT FROM verification WHERE id = '${held}' FOR UPDATE`);
  const outcome = reseal();
  // It has gone through the rows once when the pending one ends, and goes on while the other one is held.
  await approve(between, late);
  await client.query("COMMIT");
  await outcome;
  expect(await secretsInUse()).toEqual([idOf(fresh)]);
});

test("more rows of one moment than a batch holds are all resealed, even by two commands in parallel", async () => {
  const ids = await Promise.all(Array.from({ length: 450 }, (_, index) => start(before, `ada-${index}@example.com`)));
  await client.query(
    "UPDATE verification SET status = 'canceled', created_at = (SELECT min(created_at) FROM verification)",
  );
  await before.app.close();
  await Promise.all([reseal(), reseal()]);
  expect(await secretsInUse()).toEqual([idOf(fresh)]);
  await using after = await before.startAnother({ secrets: [fresh], inbox: "all" });
  const { body } = await after.rest("GET", `/verify/${ids[321]}`, { key });
  expect(body.recipient).toMatch(/@example\.com$/);
});
