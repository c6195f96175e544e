import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import pg from "pg";
import { expect, test } from "vitest";
import { slotMinutes } from "../../src/capabilities/reports/reports.policy.ts";
import { accountsOf } from "../capabilities/balance/balance-fixture.ts";
import { createMigratedDatabase } from "../support/app.ts";
import { verifyEmailOf } from "../support/verified-email.ts";
import { KillableServers } from "./killable-servers.ts";
import { inParallel, until } from "./load.ts";

/** All that the issue asks for with `LEDGER_OPERATIONS=100000`. */
const operations = Number(process.env.LEDGER_OPERATIONS ?? 2_500);
const killCount = Math.ceil(operations / 800);
const callsAtOnce = 8;
const prices = {
  currency: "EUR",
  digits: 4,
  messages: { sms: { default: 700, DE: 730 }, email: { default: 10 } },
  lookup: 5,
};
/** What one of the keys may spend in a day. */
const cap = 20 * 700;
/** The wallet is often empty: it is filled in parts. */
const payment = 9_000;

interface Sent {
  readonly id: string;
  readonly code: string;
}

test("whatever is killed, the sum of the entries is the balance, nothing is charged twice, and nothing is sent uncharged", {
  timeout: 1_800_000,
}, async () => {
  await using resources = new AsyncDisposableStack();
  const database = await createMigratedDatabase();
  resources.defer(() => database.drop());
  const sent = new Map<string, Sent>();
  const sentIds = new Set<string>();
  let refusals = 0;
  const gateway = createServer(async (request, response) => {
    let body = "";
    for await (const chunk of request) {
      body += chunk;
    }
    const { recipient, code } = JSON.parse(body);
    // Some numbers do not exist, and some are reached at the second try.
    if (recipient.endsWith("7")) {
      refusals += 1;
      response.writeHead(422).end();
    } else if (recipient.endsWith("3") && Math.random() < 0.5) {
      response.writeHead(409).end();
    } else {
      const id = String(request.headers["idempotency-key"]);
      sentIds.add(id);
      sent.set(recipient, { id, code });
      response.writeHead(200).end();
    }
  });
  await new Promise<void>((resolve) => gateway.listen(0, "127.0.0.1", resolve));
  resources.defer(() => void gateway.close());
  const folder = await mkdtemp(join(tmpdir(), "byond-prices-"));
  resources.defer(() => rm(folder, { recursive: true }));
  await writeFile(join(folder, "prices.json"), JSON.stringify(prices));
  const environment = {
    SMS_URL: `http://127.0.0.1:${(gateway.address() as AddressInfo).port}/`,
    PROVIDER_SECRET: "x".repeat(32),
    PRICES: join(folder, "prices.json"),
    DEFAULT_TIER: "unlimited",
    GUARD_MODE: "off",
  };
  const servers = resources.use(await KillableServers.start(3, { databaseUrl: database.url, environment }));
  const client = new pg.Client({ connectionString: database.url });
  client.on("error", () => undefined);
  await client.connect();
  resources.defer(() => client.end());
  const rows = async (text: string, values: readonly unknown[] = []) => (await client.query(text, [...values])).rows;
  const count = async (text: string) => Number((await rows(text))[0]?.count);

  const { session, workspaceId } = await servers.any().signUp();
  await verifyEmailOf(database.url, workspaceId);
  const mint = async (name: string) =>
    (await servers.any().rest("POST", "/api-keys", { session, body: { name } })).body as { id: string; key: string };
  const uncapped = await mint("uncapped");
  const capped = await mint("capped");
  await client.query("INSERT INTO spend_cap VALUES ($1, $2, 'month', $3, now())", [workspaceId, capped.id, cap]);

  let done = 0;
  let paid = 0;
  const codes: Record<string, number> = {};
  const call = async (method: string, path: string, body?: object, key = uncapped.key) => {
    const answer = await servers
      .any()
      .rest(method, path, { key, ...(body === undefined ? {} : { body }) })
      .catch(() => undefined);
    const code = answer === undefined ? "lost" : (answer.body?.error?.code ?? "ok");
    codes[code] = (codes[code] ?? 0) + 1;
    return answer;
  };
  const pay = async () => {
    paid += 1;
    await client.query("SELECT balance_top_up($1, $2, $3)", [workspaceId, `payment ${paid}`, payment]);
  };
  const started: { readonly id: string; readonly recipient: string }[] = [];
  const kinds: (() => Promise<unknown>)[] = [
    async () => {
      const number = done;
      const recipient = `${number % 3 === 0 ? "+491511" : "+3361"}${String(number).padStart(7, "0")}`;
      const fallback = [{ channel: "email", recipient: `a${number}@example.com`, after_seconds: 10 }];
      const body = { channel: "sms", recipient, ...(number % 5 === 0 ? { fallback } : {}) };
      const answer = await call("POST", "/verify/start", body, number % 6 === 0 ? capped.key : uncapped.key);
      if (answer?.status === 201) {
        started.push({ id: answer.body.verification_id, recipient });
      }
    },
    async () => {
      const of = started[Math.floor(Math.random() * started.length)];
      const code = of === undefined ? undefined : sent.get(of.recipient)?.code;
      if (of !== undefined && code !== undefined) {
        await call("POST", "/verify/check", { verification_id: of.id, code });
      }
    },
    async () => {
      const of = started[started.length - 1 - Math.floor(Math.random() * Math.min(20, started.length))];
      if (of !== undefined) {
        await call("POST", `/verify/${of.id}/resend`, {});
      }
    },
    async () => {
      const of = started[started.length - 1 - Math.floor(Math.random() * Math.min(20, started.length))];
      if (of !== undefined) {
        await call("POST", `/verify/${of.id}/cancel`, {});
      }
    },
    async () => {
      await call("GET", "/lookup?number=%2B6591234567");
    },
  ];
  const weights = [0, 0, 0, 0, 1, 2, 2, 3, 4];
  await pay();
  const killing = servers.killAtRandom(killCount, operations, () => done);
  await inParallel(callsAtOnce, async () => {
    while (done < operations) {
      done += 1;
      if (done % 40 === 0) {
        await pay();
      }
      await kinds[weights[Math.floor(Math.random() * weights.length)] ?? 0]?.();
    }
  });
  await killing;
  await until("no message waits", 120_000, async () => {
    await client.query(
      "UPDATE outbox SET expires_at = least(expires_at, now() + interval '40 s') WHERE status = 'pending'",
    );
    return (
      (await count("SELECT count(*) FROM outbox WHERE status = 'pending' AND kind <> 'verification_fallback'")) === 0
    );
  });

  // Reserves of servers that were killed, as the sweep closes them.
  const before = await accountsOf(database.url, workspaceId);
  await client.query("SELECT spend_close_reserve(workspace_id, id) FROM spend_reserve");
  await client.query("SELECT balance_count_refunds($1)", [workspaceId]);
  const after = await accountsOf(database.url, workspaceId);
  expect(after).toEqual({
    funding: -paid * payment,
    wallet: paid * payment - (after.spent ?? 0),
    reserve: 0,
    spent: before.spent,
  });
  // A charge for each message, and a message for each charge of one.
  expect(
    await count(`SELECT count(*) FROM outbox WHERE lane = 'sms' AND NOT EXISTS (
      SELECT FROM ledger_entry AS charge
      WHERE charge.workspace_id = outbox.workspace_id AND reference = outbox.id AND kind = 'charge'
    )`),
  ).toBe(0);
  expect(
    await count(`SELECT count(*) FROM ledger_entry AS charge WHERE kind = 'charge' AND item LIKE 'sms%' AND NOT EXISTS (
      SELECT FROM outbox WHERE outbox.workspace_id = charge.workspace_id AND outbox.id = reference AND coalesce(charged_to, charge.reserve_id) = charge.reserve_id
    )`),
  ).toBe(0);
  expect(
    await count("SELECT count(*) - count(DISTINCT reference) AS count FROM ledger_entry WHERE kind = 'charge'"),
  ).toBe(0);
  // What was refunded was not recorded as sent, and what was recorded as sent was not refunded.
  expect(
    await count(`SELECT count(*) FROM outbox JOIN ledger_entry AS refund
      ON refund.workspace_id = outbox.workspace_id AND reference = outbox.id AND refund.kind = 'refund' WHERE outbox.status = 'sent'`),
  ).toBe(0);
  const refunded = (await rows("SELECT reference FROM ledger_entry WHERE kind = 'refund'")).map(
    ({ reference }) => reference,
  );
  const sentUncharged = refunded.filter((id) => sentIds.has(id));
  const charged = new Set(
    (await rows("SELECT reference FROM ledger_entry WHERE kind = 'charge'")).map(({ reference }) => reference),
  );
  expect([...sentIds].filter((id) => !charged.has(id))).toEqual([]);
  expect(sentUncharged).toEqual([]);
  const [{ spent: spentOfKey }] = (await rows(
    "SELECT sum(CASE kind WHEN 'charge' THEN amount ELSE -amount END)::int AS spent FROM ledger_entry WHERE key_id = $1 AND kind IN ('charge', 'refund')",
    [capped.id],
  )) as [{ spent: number }];
  expect(spentOfKey).toBeLessThanOrEqual(cap);
  // The usage is what was recorded as sent, and what lookups were charged for.
  const wasSent = "(state IN ('sent', 'delivered', 'read') OR failed_at IS NOT NULL)";
  const usedMessages = await count("SELECT coalesce(sum(number), 0) AS count FROM usage_day WHERE channel <> ''");
  expect(usedMessages).toBe(
    await count(`SELECT count(*) FROM (SELECT DISTINCT outbox_id FROM delivery_attempt WHERE ${wasSent}) AS message`),
  );
  const usedLookups = await count("SELECT coalesce(sum(number), 0) AS count FROM usage_day WHERE channel = ''");
  expect(usedLookups * prices.lookup).toBe(
    await count("SELECT coalesce(sum(amount), 0) AS count FROM ledger_entry WHERE item = 'lookup'"),
  );
  // Reports have what was charged for messages and did not come back, once each verification has ended.
  await client.query("UPDATE verification SET status = 'expired' WHERE status = 'pending'");
  await until(
    "every event has its position",
    60_000,
    async () => (await count("SELECT count(*) FROM event_pending")) === 0,
  );
  for (const minutes of Object.values(slotMinutes)) {
    const reported = await count(
      `SELECT coalesce(sum(cost), 0) AS count FROM verification_slot WHERE minutes = ${minutes}`,
    );
    expect(reported).toBe(
      await count(`SELECT sum(CASE kind WHEN 'charge' THEN amount ELSE -amount END) AS count
        FROM ledger_entry WHERE kind IN ('charge', 'refund') AND subject_id IS NOT NULL`),
    );
  }
  expect(codes).toMatchObject({ insufficient_balance: expect.any(Number), spend_cap_reached: expect.any(Number) });
  expect(servers.unexpectedExits).toEqual([]);
  const charges = charged.size;
  console.log(
    `${done} operations, ${servers.kills} servers killed: ${charges} charges, ${refunded.length} refunds, ${refusals} refusals by the provider, ${sentIds.size} messages sent, ${sentUncharged.length} of them uncharged; ${paid} top-ups; ${usedMessages} messages and ${usedLookups} lookups in the usage; ${spentOfKey} spent of the cap of ${cap}; answers ${JSON.stringify(codes)}`,
  );
});
