/** What the report of verifications says: each once, in the group of its start, and only to its own workspace and mode. */
import { describe, expect, test, vi } from "vitest";
import { type SignedUp, startTestApp, type TestApp, useTestApp } from "../../support/app.ts";
import { type Credentials, type Protocol, protocols } from "../../support/protocols.ts";
import { useFallbackFixture } from "../verify/fallback-fixture.ts";
import { check, rowsOf, start, startAndRead } from "../verify/verify-calls.ts";

const app = useTestApp({}, { sweepIntervalMs: 200 });
const [rest] = protocols as readonly [Protocol, Protocol];

const nothing = {
  day: null,
  channel: null,
  country: null,
  provider: null,
  api_key_id: null,
  started: 0,
  sent: 0,
  delivered: 0,
  approved: 0,
  expired: 0,
  locked: 0,
  canceled: 0,
  channel_unavailable: 0,
  failed_messages: 0,
  conversion_percent: null,
  median_time_to_approval_ms: null,
  cost: null,
};

async function newKey(account: SignedUp, more: object = {}, on: TestApp = app) {
  const body = { name: "reports", mode: "test", ...more };
  const answer = await on.rest("POST", "/api-keys", { session: account.session, body });
  return { key: String(answer.body.key), id: String(answer.body.id) };
}

async function report(credentials: Credentials, input: object = {}, on: TestApp = app, protocol = rest) {
  const { code, body } = await protocol.call(on, "GetVerificationReport", { ...input }, credentials);
  expect(code).toBe("ok");
  return body;
}

/** Waits until the report has these groups: events are counted a moment after their commit. */
async function groupsOnce(groups: readonly object[], credentials: Credentials, input: object = {}, on: TestApp = app) {
  await vi.waitFor(async () => expect((await report(credentials, input, on)).groups).toEqual(groups), 20_000);
}

describe.each(protocols)("over $name", (protocol) => {
  test("verifications are grouped by what the request names, and chosen by the same", async () => {
    const account = await app.signUp();
    const one = await newKey(account);
    const other = await newKey(account);
    const name = `${protocol.name}-${account.userId}`.toLowerCase();
    const approved = await startAndRead(app, one.key, `approved-${name}@example.com`);
    const canceled = await startAndRead(app, other.key, `canceled-${name}@example.com`);
    const text = await start(app, other.key, "+6591234567", { channel: "voice" });
    expect(text.body.status).toBe("channel_unavailable");
    const key = one.key;
    // Both messages are recorded before the verifications end.
    await groupsOnce(
      [{ ...nothing, started: 3, sent: 2, delivered: 2, channel_unavailable: 1, conversion_percent: 0 }],
      { key },
    );
    expect(await check(app, key, approved.id, approved.code)).toBe("approved");
    await app.rest("POST", `/verify/${canceled.id}/cancel`, { key: other.key });
    const total = {
      ...nothing,
      started: 3,
      sent: 2,
      delivered: 2,
      approved: 1,
      canceled: 1,
      channel_unavailable: 1,
      conversion_percent: 50,
      median_time_to_approval_ms: expect.any(Number),
    };
    await groupsOnce([total], { key });
    const groups = async (input: object) => (await report({ key }, input, app, protocol)).groups;
    const mails = { channel: "email", started: 2, sent: 2, delivered: 2, approved: 1, canceled: 1 };
    const calls = { channel: "voice", started: 1, sent: 0, channel_unavailable: 1, conversion_percent: null };
    expect(await groups({ group_by: ["channel"] })).toMatchObject([mails, calls]);
    expect(await groups({ group_by: ["country", "channel"] })).toMatchObject([
      { ...mails, country: null },
      { ...calls, country: "SG" },
    ]);
    const byKey = await groups({ group_by: ["api_key"] });
    expect(
      new Map(byKey.map((group: { api_key_id: string; started: number }) => [group.api_key_id, group.started])),
    ).toEqual(
      new Map([
        [one.id, 1],
        [other.id, 2],
      ]),
    );
    expect(await groups({ channels: ["voice"] })).toMatchObject([{ ...calls, channel: null }]);
    expect(await groups({ channels: ["voice", "email"] })).toEqual([total]);
    expect(await groups({ countries: ["SG", "IN"] })).toMatchObject([{ started: 1, channel_unavailable: 1 }]);
    expect(await groups({ countries: ["IN"] })).toEqual([]);
    expect(await groups({ api_key_ids: [one.id] })).toMatchObject([
      { started: 1, approved: 1, conversion_percent: 100 },
    ]);
    expect(await groups({ providers: ["nobody"] })).toEqual([]);
    const today = app.time.now().toISOString().slice(0, 10);
    expect(
      await groups({ group_by: ["day", "channel", "country", "provider", "api_key"], channels: ["voice"] }),
    ).toEqual([
      {
        ...nothing,
        day: today,
        channel: "voice",
        country: "SG",
        api_key_id: other.id,
        started: 1,
        channel_unavailable: 1,
      },
    ]);
    const { from, until, time_zone, currency } = await report({ key }, {}, app, protocol);
    expect(currency).toBeNull();
    expect([from, until, time_zone]).toEqual([expect.any(String), today, "UTC"]);
    expect(Date.parse(until) - Date.parse(from)).toBe(29 * 86_400_000);
  });

  test("modes and workspaces share nothing, a session names its mode, and keys need the scope", async () => {
    const account = await app.signUp();
    const { key } = await newKey(account);
    await start(app, key, "+6591234567", { channel: "voice" });
    await groupsOnce([{ ...nothing, started: 1, channel_unavailable: 1 }], { key });
    const started = async (credentials: Credentials) => (await report(credentials, {}, app, protocol)).groups.length;
    const { session } = account;
    expect(await started({ session })).toBe(0);
    expect(await started({ session, headers: { "Byond-Mode": "test" } })).toBe(1);
    expect(await started({ key: (await newKey(account, { mode: "live" })).key })).toBe(0);
    expect(await started({ key: (await newKey(await app.signUp())).key })).toBe(0);
    expect(await started({ key: (await newKey(account, { scopes: ["reports"] })).key })).toBe(1);
    const narrow = await newKey(account, { scopes: ["verify"] });
    const refused = await protocol.call(app, "GetVerificationReport", {}, { key: narrow.key });
    expect(refused.code).toBe("insufficient_scope");
  });

  test("what no period or group can be is refused, by field", async () => {
    const { key } = await newKey(await app.signUp());
    const fieldsOf = async (input: object) => {
      const { code, body } = await protocol.call(app, "GetVerificationReport", { ...input }, { key });
      expect(code).toBe("validation_error");
      return body.fields;
    };
    const date = "must be a date such as 2026-05-31";
    expect(await fieldsOf({ from: "2026-06-31", until: "yesterday" })).toEqual({ from: date, until: date });
    expect(await fieldsOf({ from: "2026-02-01", until: "2026-01-31" })).toEqual({
      from: "must not be after until, which is 2026-01-31",
    });
    expect(await fieldsOf({ from: "2025-01-01", until: "2026-01-02" })).toEqual({
      from: "must be less than 366 days before until",
    });
    expect((await report({ key }, { from: "2025-01-01", until: "2026-01-01" }, app, protocol)).groups).toEqual([]);
    expect(await fieldsOf({ time_zone: "Asia/Atlantis" })).toEqual({
      time_zone: "must be the name of a time zone, such as Asia/Kolkata",
    });
    expect(await fieldsOf({ time_zone: "+05:30" })).toHaveProperty("time_zone");
    const country = "must be a two-letter country code in upper case, such as SG";
    expect(await fieldsOf({ countries: ["sg"] })).toEqual({ "countries[0]": country });
    expect(await fieldsOf({ countries: ["US,DE"] })).toEqual({ "countries[0]": country });
  });
});

test("a list in a query string repeats its parameter, and words of a fixed set may be joined by commas", async () => {
  const { key } = await newKey(await app.signUp());
  const get = (query: string) => app.rest("GET", `/reports/verifications?${query}`, { key });
  expect((await get("group_by=day,channel&channels=sms,voice&countries=US&countries=DE")).status).toBe(200);
  const { status, body } = await get("countries=US,DE");
  expect([status, body.error.fields]).toEqual([
    422,
    { "countries[0]": "must be a two-letter country code in upper case, such as SG" },
  ]);
});

test("a day is one of the time zone that the request names", async () => {
  await using own = await startTestApp({}, { sweepIntervalMs: 2 ** 30 });
  const { key } = await newKey(await own.signUp(), {}, own);
  const dayMs = 86_400_000;
  const nowMs = own.time.now().getTime();
  const midnightMs = nowMs - (nowMs % dayMs) + dayMs;
  const date = (days: number) => new Date(midnightMs + days * dayMs).toISOString().slice(0, 10);
  for (const [hour, minute] of [
    [18, 10],
    [18, 20],
    [18, 40],
  ] as const) {
    const atMs = midnightMs + (hour * 60 + minute) * 60_000;
    await own.time.advance({ seconds: Math.ceil((atMs - own.time.now().getTime()) / 1_000) });
    await start(own, key, "+6591234567", { channel: "voice" });
  }
  const of = (day: string, started: number) => ({ ...nothing, day, started, channel_unavailable: started });
  const input = { group_by: ["day"], until: date(1) };
  await groupsOnce([of(date(0), 3)], { key }, input, own);
  const inZone = async (time_zone: string) => (await report({ key }, { ...input, time_zone }, own)).groups;
  expect(await inZone("Asia/Kolkata")).toEqual([of(date(0), 2), of(date(1), 1)]);
  expect(await inZone("Asia/Kathmandu")).toEqual([of(date(0), 1), of(date(1), 2)]);
  expect(await inZone("Asia/Singapore")).toEqual([of(date(1), 3)]);
  expect(
    (await report({ key }, { from: date(1), until: date(1), time_zone: "Asia/Kolkata" }, own)).groups,
  ).toMatchObject([{ started: 1 }]);
});

test("with Accept: text/csv the report is a table, in which nothing is a formula", async () => {
  const account = await app.signUp();
  const { key, id } = await newKey(account);
  await start(app, key, "+6591234567", { channel: "voice" });
  await groupsOnce([{ ...nothing, started: 1, channel_unavailable: 1 }], { key });
  await rowsOf(
    app,
    `INSERT INTO verification_slot
     SELECT workspace_id, mode, minutes, slot, 'sms', 'IN', named.provider, key_id, ${Array.from({ length: 24 }, () => 2).join(", ")}
     FROM verification_slot, unnest(ARRAY['=cmd', 'a "b", c']) AS named (provider) WHERE workspace_id = $1`,
    [account.workspaceId],
  );
  const get = (accept: string, more: object = {}, query = "?group_by=channel&group_by=provider&group_by=api_key") =>
    fetch(`${app.url}/api/v1/reports/verifications${query}`, {
      headers: { authorization: `Bearer ${key}`, accept, ...more },
    });
  const answer = await get("text/csv");
  expect(answer.status).toBe(200);
  expect(answer.headers.get("content-type")).toBe("text/csv; charset=utf-8");
  expect(answer.headers.get("vary")?.toLowerCase()).toContain("accept");
  const text = await answer.text();
  expect(text.split("\r\n")).toEqual([
    Object.keys(nothing).join(","),
    `,sms,,'=cmd,${id},2,2,2,2,2,2,2,2,2,,10000,`,
    `,sms,,"a ""b"", c",${id},2,2,2,2,2,2,2,2,2,,10000,`,
    `,voice,,,${id},1,0,0,0,0,0,0,1,0,,,`,
    "",
  ]);
  const tag = answer.headers.get("etag") ?? "";
  expect((await get("text/csv", { "if-none-match": tag })).status).toBe(304);
  expect((await get("application/json", { "if-none-match": tag })).status).toBe(200);
  for (const accept of ["*/*", "application/json", "application/json, text/csv", "text/csv;q=0.5, application/json"]) {
    expect((await get(accept)).headers.get("content-type")).toBe("application/json");
  }
  expect((await get("text/csv, application/json;q=0.5")).headers.get("content-type")).toContain("text/csv");
  expect((await get("text/html")).status).toBe(406);
  const refused = await get("text/csv", {}, "?time_zone=nowhere");
  expect([refused.status, refused.headers.get("content-type")]).toEqual([422, "application/json"]);
  const enveloped = { "byond-envelope": "true" };
  expect(await (await get("text/csv", enveloped)).text()).toBe(text);
  expect(await (await get("text/csv", enveloped, "?time_zone=nowhere")).json()).toMatchObject({ ok: false });
  expect((await get("text/csv", {}, "?countries=FR").then((empty) => empty.text())).split("\r\n")).toHaveLength(2);
});

test("a report of more groups than an answer has is refused", async () => {
  const account = await app.signUp();
  const { key } = await newKey(account);
  await rowsOf(
    app,
    `INSERT INTO verification_slot
     SELECT $1, 'test', 360, date_bin('6 hours', byond_now(), 'epoch'), 'sms', 'SG', 'p', 'key_' || i, ${Array.from({ length: 24 }, () => 1).join(", ")}
     FROM generate_series(1, 10001) AS i`,
    [account.workspaceId],
  );
  const { body } = await app.rest("GET", "/reports/verifications?group_by=api_key", { key });
  expect(body.error.fields).toEqual({
    group_by: "makes more than 10,000 groups of these verifications: ask for fewer days or fields",
  });
  expect((await report({ key }, { group_by: ["country"] })).groups).toMatchObject([{ started: 10_001 }]);
});

describe("with providers", () => {
  const fixture = useFallbackFixture();
  const groups = async (expected: readonly object[]) => {
    const credentials = { key: fixture.key };
    await vi.waitFor(async () => {
      const { groups: found } = await report(credentials, { group_by: ["channel", "provider"] }, fixture.app);
      expect(found).toMatchObject(expected);
    }, 20_000);
  };

  test("a verification has the provider of its first message, and is sent though its delivery is never reported", async () => {
    const { phone, whatsapp } = { phone: () => fixture.phone(), whatsapp: fixture.whatsapp };
    // WhatsApp accepts the message, and reports nothing: it counts when the verification ends.
    const silent = phone();
    const one = (await fixture.start({ recipient: silent, fallback: [] })).body.verification_id;
    await fixture.untilDelivery(one, 0, "sent");
    await groups([]);
    const [code = ""] = fixture.chatsTo(silent);
    expect(await check(fixture.app, fixture.key, one, code)).toBe("approved");
    const first = { channel: "whatsapp", provider: "whatsapp-cloud", started: 1, sent: 1, delivered: 0, approved: 1 };
    await groups([first]);
    // It refuses one, and the text message of the fallback arrives.
    const refused = phone();
    whatsapp.troubles.set(refused, [{ status: 400, body: JSON.stringify({ error: { code: 131026 } }) }]);
    const two = (await fixture.start({ recipient: refused })).body.verification_id;
    await groups([{ ...first, started: 2, sent: 2, delivered: 1, failed_messages: 1 }]);
    await fixture.app.rest("POST", `/verify/${two}/cancel`, { key: fixture.key });
    // And reports a delivery, then that it was read: that is one.
    const reached = phone();
    await fixture.start({ recipient: reached, fallback: [] });
    await fixture.report(reached, "delivered");
    await fixture.report(reached, "read");
    const text = phone();
    await fixture.start({ channel: "sms", recipient: text, fallback: [] });
    await groups([
      { channel: "sms", provider: "adapter", started: 1, sent: 1, delivered: 1, approved: 0 },
      { channel: "whatsapp", started: 3, sent: 3, delivered: 2, approved: 1, canceled: 1, failed_messages: 1 },
    ]);
  });
});
