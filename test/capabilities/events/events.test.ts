import { beforeAll, describe, expect, test, vi } from "vitest";
import { password, useTestApp } from "../../support/app.ts";
import { protocols } from "../../support/protocols.ts";
import { check, rowsOf, start, startAndRead, wrongFor } from "../verify/verify-calls.ts";
import { allEvents, eventsOnce, typesOf } from "./event-calls.ts";

const app = useTestApp({}, { sweepIntervalMs: 200 });

let accounts = 0;

/** A key of a new account, and addresses that nobody else uses. */
async function newKey(mode: "live" | "test" = "test", more: object = {}) {
  const account = await app.signUp();
  const { session } = account;
  const { body } = await app.rest("POST", "/api-keys", { session, body: { name: "events", mode, ...more } });
  const number = ++accounts;
  return {
    account,
    session,
    key: String(body.key),
    id: String(body.id),
    address: (name: string) => `${name}-${number}@example.com`,
  };
}

describe.each(protocols)("over $name", (protocol) => {
  describe.each(["live", "test"] as const)("a %s key", (mode) => {
    let owner: Awaited<ReturnType<typeof newKey>>;
    beforeAll(async () => {
      owner = await newKey(mode);
    });
    const eventsOf = (subject: string, count: number) =>
      eventsOnce(count, protocol, app, { key: owner.key }, { subject });

    test("sees the life of an approved verification, as GET showed it each time", async () => {
      const { key, address } = owner;
      const metadata = { order: "4711" };
      const started = await startAndRead(app, key, address("approved"), { metadata });
      const delivered = await eventsOf(started.id, 2);
      const pending = (await app.rest("GET", `/verify/${started.id}`, { key })).body;
      expect(await check(app, key, started.id, wrongFor(started))).toBe("incorrect");
      expect(await check(app, key, started.id, started.code)).toBe("approved");
      const approved = (await app.rest("GET", `/verify/${started.id}`, { key })).body;
      const events = await eventsOf(started.id, 3);
      expect(typesOf(events)).toEqual(["verification.started", "verification.delivered", "verification.approved"]);
      expect(events.slice(0, 2)).toEqual(delivered);
      expect(events[2].data).toEqual(approved);
      expect(events[1].data).toEqual(pending);
      const [queued] = pending.deliveries;
      expect(events[0].data).toEqual({
        ...pending,
        deliveries: [
          { ...queued, status: "queued", attempts: 0, provider: null, provider_message_id: null, sent_at: null },
        ],
      });
      expect(events.map((event) => [event.mode, event.data.metadata])).toEqual(Array(3).fill([mode, metadata]));
      expect(new Set(events.map(({ id }) => id)).size).toBe(3);
      for (const event of events) {
        expect(event.id).toMatch(/^evt_[0-9A-Za-z]{22}$/);
        expect(await protocol.call(app, "GetEvent", { id: event.id }, { key })).toEqual({ code: "ok", body: event });
      }
    });

    test("sees a locked, a canceled and an unavailable one, each end once", async () => {
      const { key, address } = owner;
      const locked = await startAndRead(app, key, address("locked"));
      await eventsOf(locked.id, 2);
      for (let attempt = 0; attempt < 7; attempt++) {
        await check(app, key, locked.id, wrongFor(locked));
      }
      const canceled = await startAndRead(app, key, address("canceled"));
      // A message that is in the inbox and not recorded yet would be given up by the cancellation.
      await eventsOf(canceled.id, 2);
      for (let attempt = 0; attempt < 2; attempt++) {
        await app.rest("POST", `/verify/${canceled.id}/cancel`, { key });
      }
      const { body: unavailable } = await start(app, key, "+6591234567", { channel: "voice" });
      const started = ["verification.started", "verification.delivered"];
      expect(typesOf(await eventsOf(locked.id, 3)).toSorted()).toEqual([...started, "verification.locked"].toSorted());
      expect(typesOf(await eventsOf(canceled.id, 3)).toSorted()).toEqual(
        [...started, "verification.canceled"].toSorted(),
      );
      const [event, ...others] = await eventsOf(unavailable.verification_id, 1);
      expect([event.type, event.data.status, others]).toEqual(["verification.started", "channel_unavailable", []]);
    });

    test("sees the life of a key, as GET showed it each time", async () => {
      const { session, key } = owner;
      const request = (method: string, suffix: string, body?: object) =>
        app.rest(method, `/api-keys${suffix}`, { session, ...(body === undefined ? {} : { body }) });
      const states = [];
      const { body: made } = await request("POST", "", { name: "made", mode, scopes: ["verify"] });
      const get = async () => (await request("GET", `/${made.id}`)).body;
      states.push(await get());
      await request("PATCH", `/${made.id}`, {
        name: "renamed",
        requests_per_minute: 60,
        ip_allowlist: ["203.0.113.0/24"],
      });
      states.push(await get());
      // The values that it has: nothing happens.
      await request("PATCH", `/${made.id}`, { name: "renamed" });
      await request("POST", `/${made.id}/rotate`, { grace_seconds: 60 });
      states.push(await get());
      await request("DELETE", `/${made.id}?reason=leaked`);
      await request("DELETE", `/${made.id}?reason=again`);
      states.push(await get());
      const events = await eventsOf(made.id, 4);
      expect(typesOf(events)).toEqual(["api_key.created", "api_key.updated", "api_key.rotated", "api_key.revoked"]);
      expect(events.map(({ data }) => data)).toEqual(states);
      expect(states[3].revocation_reason).toBe("leaked");
      const ownKey = await allEvents(protocol, app, { key }, { subject: owner.id });
      expect(typesOf(ownKey)).toEqual(["api_key.created"]);
    });
  });

  test("a list is filtered by type, subject and time, and paged without a gap", async () => {
    const { key, address } = await newKey();
    const ids: string[] = [];
    for (const name of ["one", "two", "three"]) {
      const started = await startAndRead(app, key, address(name));
      await check(app, key, started.id, started.code);
      ids.push(started.id);
    }
    const all = await eventsOnce(10, protocol, app, { key });
    expect(all).toHaveLength(10);
    expect(await allEvents(protocol, app, { key }, { page_size: 3 })).toEqual(all);
    const approved = await allEvents(protocol, app, { key }, { type: "verification.approved", page_size: 2 });
    expect(approved.map(({ data }) => data.verification_id)).toEqual(ids);
    expect(await allEvents(protocol, app, { key }, { type: "verification.approved", subject: ids[1] })).toEqual([
      approved[1],
    ]);
    expect(await allEvents(protocol, app, { key }, { subject: "vrf_0000000000000000000000" })).toEqual([]);
    const [from, until] = ["2020-01-01T00:00:00Z", "2099-01-01T00:00:00Z"];
    expect(await allEvents(protocol, app, { key }, { created_after: from, created_before: until })).toEqual(all);
    expect(await allEvents(protocol, app, { key }, { created_after: until })).toEqual([]);
    expect(await allEvents(protocol, app, { key }, { created_before: from })).toEqual([]);
  });

  test("unknown types and foreign page tokens are refused", async () => {
    const { key } = await newKey();
    const { code, body } = await protocol.call(app, "ListEvents", { page_token: "c29tZXRoaW5n" }, { key });
    expect([code, body.fields]).toEqual([
      "validation_error",
      { page_token: "must be the next_page_token of the page before" },
    ]);
    const { body: refused } = await app.rest("GET", "/events?type=verification.begun", { key });
    expect(refused.error.fields.type).toContain("verification.started, verification.delivered");
  });

  test("events are for sessions, unrestricted keys, and keys with the scope; each sees its own workspace and mode", async () => {
    const { session, key, address } = await newKey("test");
    const { id } = await startAndRead(app, key, address("own"));
    const [started] = await eventsOnce(2, protocol, app, { key }, { subject: id });
    const mint = async (mode: string, scopes: string[]) =>
      (await app.rest("POST", "/api-keys", { session, body: { name: "scoped", mode, scopes } })).body.key;
    const get = async (credentials: object) =>
      (await protocol.call(app, "GetEvent", { id: started.id }, credentials)).code;
    expect(await get({ key })).toBe("ok");
    expect(await get({ key: await mint("test", ["events"]) })).toBe("ok");
    expect(await get({ key: await mint("test", ["*"]) })).toBe("ok");
    expect(await get({ key: await mint("test", ["verify", "reports", "lookup"]) })).toBe("insufficient_scope");
    expect(await get({ key: await mint("live", ["events"]) })).toBe("not_found");
    expect(await get({ key: (await newKey("test")).key })).toBe("not_found");
    expect(await get({})).toBe("invalid_api_key");
    expect((await protocol.call(app, "GetEvent", { id: key }, { key })).code).toBe("not_found");
  });

  test("a session means the live mode unless it says otherwise, and a key cannot mean another one than its own", async () => {
    const { session, key, id } = await newKey("test");
    const [created] = await eventsOnce(1, protocol, app, { key }, { subject: id });
    const get = async (credentials: object, mode?: string) =>
      (
        await protocol.call(
          app,
          "GetEvent",
          { id: created.id },
          { ...credentials, headers: mode === undefined ? {} : { "byond-mode": mode } },
        )
      ).code;
    expect(await get({ session })).toBe("not_found");
    expect(await get({ session }, "live")).toBe("not_found");
    expect(await get({ session }, "test")).toBe("ok");
    expect(await get({ session }, "sandbox")).toBe("invalid_request");
    expect(await get({ key }, "test")).toBe("ok");
    expect(await get({ key }, "live")).toBe("invalid_request");
  });
});

const [rest] = protocols;
if (rest === undefined) {
  throw new Error("there is no protocol");
}

test("a verification that nobody checks expires once, and so does one that is erased afterwards", async () => {
  const { key, address } = await newKey();
  const [left, erased] = [
    await startAndRead(app, key, address("left"), { ttl_seconds: 30 }),
    await startAndRead(app, key, address("erased"), { ttl_seconds: 30 }),
  ];
  for (const { id } of [left, erased]) {
    await eventsOnce(2, rest, app, { key }, { subject: id });
  }
  await app.time.advance({ seconds: 31 });
  await app.rest("POST", "/verifications/erase", { key, body: { recipient: address("erased") } });
  for (const { id } of [left, erased]) {
    const events = await eventsOnce(3, rest, app, { key }, { subject: id });
    expect(typesOf(events)).toEqual(["verification.started", "verification.delivered", "verification.expired"]);
    expect(events[2].data).toMatchObject({ status: "expired", attempts_left: 0 });
  }
  expect((await app.rest("GET", `/verifications?status=expired`, { key })).body.verifications).toHaveLength(2);
  expect(await check(app, key, left.id, left.code)).toBe("expired");
  const resent = await app.rest("POST", `/verify/${left.id}/resend`, { key, body: {} });
  expect([resent.status, resent.body.status]).toEqual([200, "expired"]);
  expect(await allEvents(rest, app, { key }, { type: "verification.expired" })).toHaveLength(2);
});

test("each message is delivered or not, once", async () => {
  const { key, address } = await newKey();
  const { id } = await startAndRead(app, key, address("resent"));
  await app.rest("POST", `/verify/${id}/resend`, { key, body: {} });
  const events = await eventsOnce(3, rest, app, { key }, { subject: id });
  expect(typesOf(events)).toEqual(["verification.started", "verification.delivered", "verification.delivered"]);
  expect(events[2].data.deliveries.map(({ status }: { status: string }) => status)).toEqual(["sent", "sent"]);
});

test("erasing a recipient erases it from events, and ends a pending verification", async () => {
  const { key, address } = await newKey();
  const recipient = address("forgotten");
  const { id } = await startAndRead(app, key, recipient, { metadata: { name: "Ada" } });
  const before = await eventsOnce(2, rest, app, { key }, { subject: id });
  expect(before[0].data.recipient).toMatch(/^f•+@example.com$/);
  await app.rest("POST", "/verifications/erase", { key, body: { recipient } });
  const events = await eventsOnce(3, rest, app, { key }, { subject: id });
  expect(typesOf(events)).toEqual(["verification.started", "verification.delivered", "verification.canceled"]);
  for (const { data } of events) {
    expect([data.recipient, data.metadata, data.deliveries[0].recipient]).toEqual([null, {}, null]);
  }
});

test("events hold no code, no recipient, no metadata and no secret", async () => {
  const { session, key, id: keyId, address } = await newKey("live");
  const recipient = address("secret");
  const started = await startAndRead(app, key, recipient, { metadata: { name: "Lovelace" } });
  await check(app, key, started.id, started.code);
  await app.rest("POST", `/api-keys/${keyId}/rotate`, { session, body: {} });
  const { body: other } = await app.rest("POST", "/api-keys", { session, body: { name: "reader" } });
  await eventsOnce(5, rest, app, { key: other.key });
  const rows = await rowsOf(app, "SELECT event::text FROM event WHERE subject_id = ANY ($1)", [[started.id, keyId]]);
  expect(rows).toHaveLength(5);
  const text = JSON.stringify(rows);
  for (const secret of [recipient, "secret-", "Lovelace", String(key.split(".")[1]), "argon2"]) {
    expect(text).not.toContain(secret);
  }
  expect(text).not.toMatch(new RegExp(`(?<!\\d)${started.code}(?!\\d)`));
});

test("a call that was refused writes no event, and a repetition writes no second one", async () => {
  const { key, account, address } = await newKey();
  const recipient = address("limited");
  const headers = { "Idempotency-Key": "the same" };
  const body = { channel: "email", recipient };
  const first = await app.rest("POST", "/verify/start", { key, headers, body });
  const second = await app.rest("POST", "/verify/start", { key, headers, body });
  expect(second.body).toEqual(first.body);
  const answers = [];
  for (let call = 0; call < 4; call++) {
    answers.push(await start(app, key, recipient));
  }
  expect(answers.map(({ status }) => status)).toEqual([201, 201, 429, 429]);
  await app.rest("POST", "/verify/start", { key, body: { channel: "email", recipient: "nobody" } });
  await app.rest("POST", "/api-keys", { session: account.session, body: { name: "" } });
  const events = await eventsOnce(7, rest, app, { key });
  expect(typesOf(events).toSorted()).toEqual([
    "api_key.created",
    ...Array(3).fill("verification.delivered"),
    ...Array(3).fill("verification.started"),
  ]);
});

test("the server's own verifications are not events", async () => {
  const { session } = await app.signUp();
  await app.rest("POST", "/auth/verify-email", { session });
  await app.rest("POST", "/auth/verify-email/check", { session, body: { code: "1" } });
  const { key } = await newKey("live");
  await eventsOnce(1, rest, app, { key });
  const [own] = await rowsOf(
    app,
    `SELECT (SELECT count(*)::integer FROM verification WHERE starts_with(workspace_id, 'ws_byond')) AS verifications,
       (SELECT count(*)::integer FROM event WHERE starts_with(workspace_id, 'ws_byond')) AS events`,
  );
  expect(own).toEqual({ verifications: expect.any(Number), events: 0 });
  expect(own?.verifications).toBeGreaterThan(0);
});

test("events are deleted after their time, and with their workspace", async () => {
  const { key, address, account } = await newKey();
  const { id, code } = await startAndRead(app, key, address("old"));
  await check(app, key, id, code);
  await eventsOnce(3, rest, app, { key }, { subject: id });
  await app.time.advance({ seconds: 29 * 86_400 });
  const { id: recent } = await startAndRead(app, key, address("recent"));
  await eventsOnce(2, rest, app, { key }, { subject: recent });
  expect(await allEvents(rest, app, { key }, { subject: id, type: "verification.started" })).toHaveLength(1);
  await app.time.advance({ seconds: 1.1 * 86_400 });
  await vi.waitFor(async () => {
    expect(await allEvents(rest, app, { key }, { subject: id })).toEqual([]);
  }, 5_000);
  expect((await eventsOnce(2, rest, app, { key }, { subject: recent })).length).toBeGreaterThanOrEqual(2);
  const { body } = await app.rest("POST", "/auth/sign-in", { body: { email: account.email, password } });
  const deleted = await app.rest("POST", "/auth/delete-account", { session: body.access_token, body: { password } });
  expect(deleted.status).toBe(200);
  await app.time.advance({ seconds: 11 * 60 });
  await vi.waitFor(async () => {
    const [row] = await rowsOf(app, "SELECT count(*)::integer AS events FROM event WHERE workspace_id = $1", [
      account.workspaceId,
    ]);
    expect(row).toEqual({ events: 0 });
  }, 5_000);
});
