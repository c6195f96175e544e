/** Every statement that calls, messages and timers run, as the server sends it. */
import { once } from "node:events";
import { glob, readFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import pg from "pg";
import { expect, vi } from "vitest";
import { recordBounce } from "../../src/capabilities/bounces/record-bounce.ts";
import { modeSql } from "../../src/capabilities/guard/guard-settings.ts";
import { LastUsed } from "../../src/capabilities/keys/last-used.ts";
import { RequestCounter } from "../../src/capabilities/reports/request-counter.ts";
import { GuessCounter, noteGuessesStatement } from "../../src/capabilities/verify/guessing/guess-counter.ts";
import { takeCheckTokens } from "../../src/capabilities/verify/guessing/slowed-source.ts";
import { Database } from "../../src/database/database.ts";
import { completeSlot, releaseSlot } from "../../src/idempotency/answer-store.ts";
import { recordReceipts } from "../../src/outbox/delivery-receipts.ts";
import type { OutboxItem } from "../../src/outbox/outbox.ts";
import { OutboxStore } from "../../src/outbox/outbox-store.ts";
import { requestsOfLastMinute } from "../../src/quota/requests-of-last-minute.ts";
import { topUp } from "../capabilities/balance/balance-fixture.ts";
import { createWorld, operationCalls, type World } from "../capabilities/reference/operation-calls.ts";
import { password, type TestApp } from "../support/app.ts";
import { connectionTo } from "../support/database-address.ts";
import { captureLog } from "../support/log-capture.ts";
import { standardSchema } from "../support/schema.ts";

/** A statement as it was sent, with its values. `name` is undefined if it is planned for each call. */
export interface SentStatement {
  readonly name: string | undefined;
  readonly text: string;
  readonly values: readonly unknown[];
}

/** Makes every call and runs what timers run, on one server, and returns what was sent to PostgreSQL. */
export async function sentStatements(app: TestApp): Promise<SentStatement[]> {
  const query = vi.spyOn(pg.Client.prototype, "query");
  try {
    const world = await createWorld(app);
    await topUp(app.databaseUrl, world.account.workspaceId, 1_000_000);
    for (const call of Object.values(operationCalls).flat()) {
      await call(world);
    }
    await callsOfAWorkspace(world);
    await deliveriesOfWebhooks(world);
    await workOfTimers(app);
    const sent = new Map<string, SentStatement>();
    for (const [config] of query.mock.calls as readonly unknown[][]) {
      const statement = statementOf(config);
      if (statement !== undefined) {
        sent.set(statement.text, statement);
      }
    }
    return [...sent.values()];
  } finally {
    query.mockRestore();
  }
}

/** The names of all statements in `src`, so that none is forgotten. */
export async function definedStatements(): Promise<string[]> {
  const src = join(import.meta.dirname, "../../src");
  const names = new Set<string>();
  for await (const file of glob("**/*.ts", { cwd: src })) {
    // Without comments, which have examples.
    const text = (await readFile(join(src, file), "utf8")).replaceAll(/^ *(\/\*)?\*.*$/gm, "");
    for (const [, name] of text.matchAll(/\b(?:statement|statementOfParts|sendStatement)(?:<.*>)?\(\s*"(\w+)"/g)) {
      names.add(name as string);
    }
  }
  return [...names].sort();
}

/** Sends that the guard refuses, counts in shadow, or judges anew because its settings were changed. */
async function sendsThatAreJudged(
  app: World["app"],
  { session, start }: { readonly session: string; readonly start: (more: object) => Promise<unknown> },
): Promise<void> {
  const [premium, number, unplanned] = ["+19002530000", "+6591234571", "+19995551234"];
  await start({ channel: "whatsapp", recipient: premium });
  for (const mode of ["shadow", "enforce"]) {
    const body = { guard_mode: mode, sends_per_hour_per_country: 1_000, sends_per_hour_per_range: 1_000 };
    await app.rest("PATCH", "/guard", { session, body });
    await start({ channel: "whatsapp", recipient: premium });
    await start({ channel: "whatsapp", recipient: number });
    await start({ channel: "whatsapp", recipient: unplanned });
  }
}

/** The calls of a customer, in all their variants. Last, so that their values are those of rows that are still there. */
async function callsOfAWorkspace({ app, account, session, key }: World): Promise<void> {
  const call = async (method: string, path: string, body?: object, headers = {}) =>
    (await app.rest(method, path, { key, headers, ...(body === undefined ? {} : { body }) })).body;
  const start = (more: object, headers = {}) => call("POST", "/verify/start", { channel: "email", ...more }, headers);
  const origin = { end_user_ip: "192.0.2.1", device_id: "a" };
  await sendsThatAreJudged(app, { session, start });
  await start({ recipient: "ada@example.com" });
  const { verification_id: id } = await start(
    { recipient: "ada@example.com", ...origin },
    { "Idempotency-Key": "one" },
  );
  await start({ recipient: "ada@example.com", ...origin }, { "Idempotency-Key": "one" });
  await call("POST", `/verify/${id}/resend`, { channel: "whatsapp", recipient: "+6591234567" });
  await call("POST", "/verify/check", { verification_id: id, code: "1", recipient: "+6591234567" });
  await call("GET", `/verify/${id}`);
  for (const filter of listFilters) {
    await call("GET", `/verifications?${filter}`);
  }
  for (const filter of ["", "channel=sms", "recipient=%2B6591234567", "recipient=%2B6591234567&channel=sms"]) {
    await call("GET", `/suppressions?${filter}`);
  }
  await lookupsOfAHistory(app, { session, call });
  const { next_page_token: page } = await call("GET", "/verifications?page_size=1");
  await call("GET", `/verifications?page_token=${page}`);
  const { events, next_page_token: pageOfEvents } = await call("GET", "/events?page_size=1");
  await call("GET", `/events?page_token=${pageOfEvents}`);
  for (const query of ["", `?after=${events[0].id}`]) {
    const stream = await fetch(`${app.url}/api/v1/events/stream${query}`, { headers: { "X-API-Key": key } });
    expect(stream.status).toBe(200);
    await stream.body?.cancel();
  }
  const { body: fixed } = await app.rest("POST", "/fixed-codes", {
    session,
    body: { recipient: "fix@example.com", password },
  });
  const { verification_id: ofFixed } = await start({ recipient: "fix@example.com" });
  await call("POST", "/verify/check", { verification_id: ofFixed, code: fixed.code });
  await call("GET", "/events");
  for (const reuse of [{ reuse: "pending" }, { reuse: "pending", ...origin }]) {
    await start({ recipient: "reuse@example.com", ...reuse });
  }
  await takeStepsOfFallback(app, await start({ recipient: "first@example.com", fallback }));
  await exportsOfRecipients(app, session);
  await reportsByEverything(call);
  await call("POST", `/verify/${id}/cancel`);
  await call("POST", "/verifications/erase", { recipient: "+6591234567" });

  const asUser = (method: string, path: string, body?: object) =>
    app.rest(method, path, { session, ...(body === undefined ? {} : { body }) });
  const { body: made } = await asUser("POST", "/api-keys", { name: "another" });
  const { body: keys } = await asUser("GET", "/api-keys?page_size=1");
  await asUser("GET", `/api-keys?page_size=1&page_token=${keys.next_page_token}`);
  await asUser("GET", "/api-keys");
  await asUser("PATCH", `/api-keys/${made.id}`, { name: "renamed" });
  await asUser("POST", `/api-keys/${made.id}/rotate`, { grace_seconds: 60 });
  await asUser("DELETE", `/api-keys/${made.id}`);
  const sourceless = { email: account.email, password };
  const { body: signedIn } = await app.rest("POST", "/auth/sign-in", { body: sourceless });
  const refresh = (token: string) => app.rest("POST", "/auth/refresh", { body: { refresh_token: token } });
  await refresh(signedIn.refresh_token);
  await refresh(signedIn.refresh_token);
  await asUser("PATCH", "/workspace", { name: "Renamed" });
}

/** The columns that a report groups by are variants of its statement. */
async function reportsByEverything(call: (method: string, path: string) => Promise<unknown>): Promise<void> {
  const fields = ["channel", "country", "provider", "api_key"];
  for (let choice = 0; choice < 2 ** fields.length; choice += 1) {
    const chosen = fields.filter((_, place) => choice & (1 << place));
    await call("GET", `/reports/verifications?${["day", ...chosen].map((field) => `group_by=${field}`).join("&")}`);
  }
}

/** Has two lookups written, and lists them. */
async function lookupsOfAHistory(
  app: TestApp,
  // biome-ignore lint/suspicious/noExplicitAny: the JSON of answers
  { session, call }: { session: string; call: (method: string, path: string, body?: object) => Promise<any> },
): Promise<void> {
  await app.rest("PATCH", "/workspace", { session, body: { lookup_history: true } });
  await call("POST", "/lookup/batch", { numbers: [{ number: "+6591234567" }, { number: "nonsense" }] });
  await vi.waitFor(async () => expect((await call("GET", "/lookups")).lookups).toHaveLength(2), { timeout: 20_000 });
  const { next_page_token: page, lookups } = await call("GET", "/lookups?page_size=1");
  const times = "created_after=2020-01-01T00:00:00Z&created_before=2099-01-01T00:00:00Z";
  const number = "number=%2B6591234567";
  for (const query of [`?page_token=${page}`, `?${number}`, `?${times}`, `?${number}&${times}&page_token=${page}`]) {
    await call("GET", `/lookups${query}`);
  }
  await call("GET", `/lookups/${lookups[0].lookup_id}`);
}

/** Exports, page by page. */
async function exportsOfRecipients(app: TestApp, session: string): Promise<void> {
  const { body: made } = await app.rest("POST", "/api-keys", {
    session,
    body: { name: "exports", scopes: ["verify"] },
  });
  for (const recipient of ["ada%40example.com", "fix%40example.com", "%2B6591234567"]) {
    let page = "";
    do {
      const path = `/recipients/export?recipient=${recipient}&page_size=1${page}`;
      const { body } = await app.rest("GET", path, { key: made.key });
      page = body.next_page_token === null ? "" : `&page_token=${body.next_page_token}`;
    } while (page !== "");
  }
}

/** The first one has no provider. */
const fallback = [{ channel: "sms", recipient: "+6591234568" }, { channel: "whatsapp" }];

/** Has the message of a start come back, so that its steps are taken. */
async function takeStepsOfFallback(app: TestApp, { verification_id: id }: { verification_id: string }): Promise<void> {
  const client = new pg.Client({ connectionString: app.databaseUrl });
  await client.connect();
  try {
    await vi.waitFor(async () => {
      const attempts = await client.query("UPDATE delivery_attempt SET state = 'failed' WHERE subject_id = $1", [id]);
      expect(attempts.rowCount).toBe(1);
    }, 10_000);
    await vi.waitFor(async () => {
      const taken = await client.query("SELECT FROM outbox WHERE id = $1 AND status = 'sent'", [`${id}/2`]);
      expect(taken.rowCount).toBe(1);
    }, 10_000);
  } finally {
    await client.end();
  }
}

/** Deliveries to an endpoint that succeed and fail, and the pages of their list. */
async function deliveriesOfWebhooks({ app, session }: World): Promise<void> {
  const statuses = [500, 200, 200];
  const receiver = createServer((_, response) => response.writeHead(statuses.shift() ?? 200).end());
  await once(receiver.listen(0, "127.0.0.1"), "listening");
  try {
    const { port } = receiver.address() as AddressInfo;
    const asUser = async (method: string, path: string, body?: object) =>
      (await app.rest(method, path, { session, ...(body === undefined ? {} : { body }) })).body;
    const { webhooks } = await asUser("GET", "/webhooks");
    for (const { id } of webhooks) {
      await asUser("DELETE", `/webhooks/${id}`);
    }
    const { id } = await asUser("POST", "/webhooks", { url: `http://127.0.0.1:${port}/`, events: ["api_key.created"] });
    const path = `/webhooks/${id}/deliveries`;
    for (const count of [1, 2]) {
      await asUser("POST", "/api-keys", { name: `event ${count}` });
      await vi.waitFor(async () => {
        const { deliveries } = await asUser("GET", path);
        expect(deliveries[0]?.attempts).toBe(1);
        expect(deliveries).toHaveLength(count);
      }, 10_000);
    }
    const { next_page_token: page } = await asUser("GET", `${path}?page_size=1`);
    await asUser("GET", `${path}?page_size=1&page_token=${page}`);
  } finally {
    receiver.closeAllConnections();
    receiver.close();
  }
}

const listFilters = [
  "",
  "status=pending",
  "status=expired",
  "status=approved",
  "channel=email",
  "status=locked&channel=email",
  "recipient=%2B6591234567",
  "recipient=%2B6591234567&status=pending&channel=email",
  "created_after=2020-01-01T00:00:00Z",
  "created_before=2099-01-01T00:00:00Z",
];

/** What the worker of the outbox, receipts, keys and idempotency run beside calls. */
async function workOfTimers(app: TestApp): Promise<void> {
  const logger = captureLog().logger;
  const database = await Database.open({ connection: await connectionTo(app.databaseUrl), logger, ...standardSchema });
  try {
    const store = new OutboxStore(database, "srv_test", () => performance.now());
    const [workspaceId, id, subjectId] = ["ws_timers", "dlv_timers", "vrf_timers"];
    await store.claimDue(new Map([["email", 4]]));
    await store.claimDueOfGroup({ group: "webhook", places: 4, placesEach: 2, known: new Map([["webhook/1", 1]]) });
    await store.renew([{ workspaceId, id }]);
    await store.release([{ workspaceId, id, claim: 1 }]);
    await store.expireOverdue(["email"]);
    const item: OutboxItem = {
      workspaceId,
      id,
      subjectId,
      kind: "kind",
      lane: "email",
      payloadSealed: Buffer.alloc(0),
      attempts: 0,
      claim: 1,
      claimedAtMs: 0,
      createdAt: new Date(),
      expiresAt: new Date(),
    };
    const attempt = { item, claim: 1, retryAfterMs: 1_000, tookMs: 5 };
    await store.record({ ...attempt, result: { kind: "sent", providerMessageId: "pm" } });
    await store.record({
      ...attempt,
      result: { kind: "retry", reason: "no answer", provider: "fails", mayBeSent: true },
    });
    const source = { lane: "whatsapp", provider: "whatsapp-cloud" };
    await recordReceipts(database, source, [{ messageId: "pm_1", state: "read", at: new Date(), error: null }]);
    const mail = { deliveryId: "dlv_1", subjectId: "vrf_1" };
    await recordBounce(database, { mail, reason: "the email came back: 5.1.1", isUndeliverable: true });
    const lastUsed = new LastUsed({ database, logger, clock: app.time });
    lastUsed.touch("key_1");
    await lastUsed.flush();
    const requests = new RequestCounter({ database, logger });
    requests.note(workspaceId, "live", undefined);
    await requests.stop();
    const note = noteGuessesStatement(modeSql("enforce"));
    const guesses = new GuessCounter({
      database,
      clock: app.time,
      events: { committed: () => undefined },
      logger,
      note,
    });
    guesses.note(workspaceId, [{ kind: "device", key: "device:1", value: "1" }], "guessed");
    await guesses.stop();
    await takeCheckTokens(database, workspaceId, ["device:1"]);
    await requestsOfLastMinute({ database }, { workspaceId, key: "workspace" });
    const slot = { workspaceId, realm: "live", key: "one" };
    await completeSlot(database, slot, "claim", Buffer.alloc(0));
    await releaseSlot(database, slot, "claim");
  } finally {
    await database.close();
  }
}

function statementOf(config: unknown): SentStatement | undefined {
  if (typeof config !== "object" || config === null || !("text" in config) || typeof config.text !== "string") {
    return undefined;
  }
  const name = "name" in config && typeof config.name === "string" ? config.name : undefined;
  const values = "values" in config && Array.isArray(config.values) ? config.values : [];
  return { name, text: config.text, values };
}
