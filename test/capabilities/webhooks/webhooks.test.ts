import { Webhook } from "standardwebhooks";
import { describe, expect, test, vi } from "vitest";
import { parseSignatureHeader } from "../../../src/access/request-signature.ts";
import { hmacSha256 } from "../../../src/crypto/hmac-sha256.ts";
import { password, type RestCall, useTestApp } from "../../support/app.ts";
import { type Received, Receiver } from "./receiver.ts";

const app = useTestApp({
  webhookDestinations: { allowedNetworks: [], allowsLoopback: true },
  allowsFixedCodes: true,
});

async function owner(mode: "live" | "test" = "test"): Promise<{ session: string; key: string; as: RestCall }> {
  const { session } = await app.signUp();
  const { body } = await app.rest("POST", "/api-keys", { session, body: { name: "starts", mode } });
  return { session, key: body.key, as: { session, headers: { "Byond-Mode": mode } } };
}

async function createWebhook(as: RestCall, body: object) {
  const created = await app.rest("POST", "/webhooks", { ...as, body });
  expect(created.status).toBe(201);
  return created.body;
}

async function start(key: string, recipient = "ada@example.com"): Promise<string> {
  const { status, body } = await app.rest("POST", "/verify/start", { key, body: { channel: "email", recipient } });
  expect(status).toBe(201);
  return body.verification_id;
}

const headersOf = ({ headers }: Received) => ({
  "webhook-id": `${headers["webhook-id"]}`,
  "webhook-timestamp": `${headers["webhook-timestamp"]}`,
  "webhook-signature": `${headers["webhook-signature"]}`,
});

const deliveriesOf = async (as: RestCall, id: string) =>
  (await app.rest("GET", `/webhooks/${id}/deliveries`, as)).body.deliveries;

describe("an endpoint", () => {
  test("of each mode is created with one Idempotency-Key: the mode is part of the request", async () => {
    const { session } = await owner();
    const createIn = (mode: string) =>
      app.rest("POST", "/webhooks", {
        session,
        headers: { "Byond-Mode": mode, "Idempotency-Key": "endpoint-of-the-shop" },
        body: { url: "https://example.com/hook" },
      });
    const [live, test, repeated] = [await createIn("live"), await createIn("test"), await createIn("live")];
    expect([live.body.mode, test.body.mode]).toEqual(["live", "test"]);
    expect(repeated.body).toEqual(live.body);
  });

  test("is created with a secret that is shown once, listed, changed and deleted", async () => {
    const { as } = await owner("live");
    const url = "https://example.com/hook";
    const { secret, ...created } = await createWebhook(as, {
      url,
      events: ["verification.approved"],
      description: "a",
    });
    expect(secret).toMatch(/^whsec_/);
    expect(created).toEqual({
      id: expect.stringMatching(/^whk_[0-9A-Za-z]{22}$/),
      url,
      events: ["verification.approved"],
      description: "a",
      enabled: true,
      disabled_reason: null,
      disabled_at: null,
      mode: "live",
      api_version: "2026-06-15",
      created_at: expect.any(String),
    });
    const path = `/webhooks/${created.id}`;
    expect((await app.rest("GET", path, as)).body).toEqual(created);
    expect((await app.rest("GET", "/webhooks", as)).body).toEqual({ webhooks: [created] });

    const patched = await app.rest("PATCH", path, { ...as, body: { enabled: false, description: "" } });
    expect(patched.body).toEqual({ ...created, enabled: false, description: "", disabled_at: expect.any(String) });
    expect((await app.rest("PATCH", path, { ...as, body: { enabled: true } })).body).toMatchObject({
      enabled: true,
      disabled_at: null,
      events: ["verification.approved"],
    });
    expect((await app.rest("DELETE", path, as)).body).toEqual({ id: created.id, deleted: true });
    expect((await app.rest("GET", path, as)).status).toBe(404);
    expect((await app.rest("DELETE", path, as)).status).toBe(404);
    expect(app.logLines.join("\n")).not.toContain(secret);
  });

  test("belongs to one mode and one workspace", async () => {
    const [one, other] = [await owner("live"), await owner("live")];
    const { id } = await createWebhook(one.as, { url: "https://example.com/" });
    const inTest = { session: one.session, headers: { "Byond-Mode": "test" } };
    for (const as of [inTest, other.as]) {
      expect((await app.rest("GET", "/webhooks", as)).body).toEqual({ webhooks: [] });
      for (const [method, suffix] of [
        ["GET", ""],
        ["PATCH", ""],
        ["DELETE", ""],
        ["POST", "/rotate-secret"],
        ["POST", "/test"],
        ["GET", "/deliveries"],
        ["POST", "/deliveries/dlv_0123456789abcdefghijkl/redeliver"],
      ] as const) {
        const body = method === "PATCH" || suffix === "/rotate-secret" ? { body: {} } : {};
        const answer = await app.rest(method, `/webhooks/${id}${suffix}`, { ...as, ...body });
        expect([method, suffix, answer.status]).toEqual([method, suffix, 404]);
      }
    }
  });

  test("takes keys that name the scope, and no unrestricted one", async () => {
    const { session } = await owner();
    const mint = async (scopes: readonly string[] | null) =>
      (await app.rest("POST", "/api-keys", { session, body: { name: "k", mode: "test", scopes } })).body.key;
    for (const [scopes, status] of [
      [null, 403],
      [["events"], 403],
      [["webhooks"], 200],
      [["*"], 200],
    ] as const) {
      expect([scopes, (await app.rest("GET", "/webhooks", { key: await mint(scopes) })).status]).toEqual([
        scopes,
        status,
      ]);
    }
  });

  test.each([
    [{ url: "http://10.0.0.1/" }, { url: "must have a public address" }],
    [{ url: "https://[::ffff:10.0.0.1]/" }, { url: "must have a public address" }],
    [{ url: "https://u:p@example.com/" }, { url: expect.stringContaining("must not contain a user") }],
    [{ url: "https://example.com/", events: [] }, { events: expect.any(String) }],
    [
      { url: "https://example.com/", events: ["verification.started", "verification.exploded"] },
      { "events[1]": expect.any(String) },
    ],
    [{}, { url: expect.any(String) }],
  ])("%j is refused", async (body, fields) => {
    const { as } = await owner();
    const answer = await app.rest("POST", "/webhooks", { ...as, body });
    expect([answer.status, answer.body.error?.fields]).toEqual([422, fields]);
  });

  test("is one of twenty at most, however many are made at once", async () => {
    const { as } = await owner();
    const answers = await Promise.all(
      Array.from({ length: 25 }, () => app.rest("POST", "/webhooks", { ...as, body: { url: "https://example.com/" } })),
    );
    expect(answers.filter(({ status }) => status === 201)).toHaveLength(20);
    expect(answers.find(({ status }) => status !== 201)).toMatchObject({
      status: 409,
      body: { error: { code: "limit_reached" } },
    });
  });
});

describe("events", () => {
  test.each(["live", "test"] as const)("of %s mode arrive signed, as GET /events/{id} shows them", async (mode) => {
    const receiver = await Receiver.start();
    const { key, as } = await owner(mode);
    const { id, secret } = await createWebhook(as, { url: receiver.url });
    const verificationId = await start(key);
    await receiver.got(2);
    expect(receiver.types.toSorted()).toEqual(["verification.delivered", "verification.started"]);
    for (const received of receiver.received) {
      const { headers, body, event } = received;
      expect(new Webhook(secret).verify(body, headersOf(received))).toEqual(event);
      expect(headers).toMatchObject({ "webhook-id": event.id, "content-type": "application/json" });
      const { timestamp = "", v1 = [] } = parseSignatureHeader(`${headers["byond-signature"]}`) ?? {};
      expect(v1).toEqual([hmacSha256(Buffer.from(secret), `${timestamp}.${body}`)]);
      expect(
        (await app.rest("GET", `/events/${event.id}`, { session: as.session ?? "", headers: as.headers ?? {} })).body,
      ).toEqual(event);
      expect(event.data.verification_id).toBe(verificationId);
    }
    await vi.waitFor(
      async () =>
        expect(await deliveriesOf(as, id)).toEqual([
          expect.objectContaining({
            status: "succeeded",
            attempts: 1,
            response_status: 200,
            next_attempt_at: null,
            error: null,
          }),
          expect.objectContaining({
            status: "succeeded",
            attempts: 1,
            response_body: expect.stringMatching(/^answer \d$/),
          }),
        ]),
      { timeout: 20_000 },
    );
  });

  test("are sent of the types that were asked for, and of the other mode none", async () => {
    const [some, other] = [await Receiver.start(), await Receiver.start()];
    const { key, as } = await owner("test");
    await createWebhook(as, { url: some.url, events: ["verification.approved", "verification.canceled"] });
    await createWebhook({ ...as, headers: { "Byond-Mode": "live" } }, { url: other.url });
    const id = await start(key);
    await app.rest("POST", `/verify/${id}/cancel`, { key });
    await some.got(1);
    expect(some.types).toEqual(["verification.canceled"]);
    expect(other.types).toEqual([]);
  });

  test("that failed arrive again after five seconds, with the same id and the same bytes", async () => {
    const receiver = await Receiver.start();
    receiver.behaviour = 500;
    const { key, as } = await owner();
    const { id } = await createWebhook(as, { url: receiver.url, events: ["verification.started"] });
    await start(key);
    const first = await receiver.got(1);
    await vi.waitFor(
      async () =>
        expect(await deliveriesOf(as, id)).toMatchObject([
          {
            status: "pending",
            attempts: 1,
            response_status: 500,
            response_body: "answer 1",
            error: "the endpoint answered with status 500",
          },
        ]),
      { timeout: 20_000 },
    );
    receiver.behaviour = 200;
    await app.time.advance({ seconds: 6 });
    const second = await receiver.got(2);
    expect(second.body).toBe(first.body);
    expect(second.headers["webhook-id"]).toBe(first.headers["webhook-id"]);
    expect(second.headers["webhook-timestamp"]).not.toBe(first.headers["webhook-timestamp"]);
    await vi.waitFor(
      async () => expect(await deliveriesOf(as, id)).toMatchObject([{ status: "succeeded", attempts: 2, error: null }]),
      { timeout: 20_000 },
    );
  });

  test("arrive when a receiver that was away is there again", async () => {
    const receiver = await Receiver.start();
    receiver.stop();
    const { key, as } = await owner();
    const { id } = await createWebhook(as, { url: receiver.url, events: ["verification.started"] });
    await start(key);
    await vi.waitFor(
      async () =>
        expect(await deliveriesOf(as, id)).toMatchObject([
          { attempts: 1, response_status: null, response_body: null, error: "the receiver refused the connection" },
        ]),
      { timeout: 20_000 },
    );
    await receiver.start();
    await app.time.advance({ seconds: 6 });
    await receiver.got(1);
  });

  test("of others arrive while an endpoint does not answer", async () => {
    const [slow, fast] = [await Receiver.start(), await Receiver.start()];
    slow.behaviour = "stalls";
    const { key, as } = await owner();
    await createWebhook(as, { url: slow.url });
    await createWebhook(as, { url: fast.url });
    for (let count = 0; count < 10; count++) {
      await start(key, `r${count}@example.com`);
    }
    await fast.got(20);
    expect(slow.received.length).toBeLessThanOrEqual(4);
    // Lets the attempts end, so that the server need not wait for them.
    slow.stop();
  });
});

describe("an endpoint is disabled", () => {
  test("by status 410, with an event for the others", async () => {
    const [gone, other] = [await Receiver.start(), await Receiver.start()];
    gone.behaviour = 410;
    const { key, as } = await owner();
    const { id } = await createWebhook(as, { url: gone.url, events: ["verification.started"] });
    await createWebhook(as, { url: other.url, events: ["webhook.disabled"] });
    await start(key);
    const { event } = await other.got(1);
    expect(event).toMatchObject({
      type: "webhook.disabled",
      data: { id, url: gone.url, enabled: false, disabled_reason: "gone", events: ["verification.started"] },
    });
    expect((await app.rest("GET", `/webhooks/${id}`, as)).body).toEqual(event.data);
    expect(await deliveriesOf(as, id)).toMatchObject([
      { status: "failed", response_status: 410, next_attempt_at: null },
    ]);
    await start(key, "later@example.com");
    expect((await deliveriesOf(as, id)).length).toBe(1);
  });

  test("not by the answer of a URL that it had before: the event is sent to the new one", async () => {
    const [gone, moved] = [await Receiver.start(), await Receiver.start()];
    gone.behaviour = "stalls";
    const { key, as } = await owner();
    const { id } = await createWebhook(as, { url: gone.url, events: ["verification.started"] });
    await start(key);
    await gone.got(1);
    await app.rest("PATCH", `/webhooks/${id}`, { ...as, body: { url: moved.url } });
    gone.answerStalled(410);
    await vi.waitFor(
      async () =>
        expect(await deliveriesOf(as, id)).toMatchObject([{ status: "pending", attempts: 1, response_status: 410 }]),
      { timeout: 20_000 },
    );
    expect((await app.rest("GET", `/webhooks/${id}`, as)).body).toMatchObject({ enabled: true, disabled_reason: null });
    await app.time.advance({ seconds: 6 });
    await moved.got(1);
  });

  test("by a call: what waits for its next attempt is not sent", async () => {
    const receiver = await Receiver.start();
    receiver.behaviour = 503;
    const { key, as } = await owner();
    const { id } = await createWebhook(as, { url: receiver.url, events: ["verification.started"] });
    await start(key);
    await receiver.got(1);
    await app.rest("PATCH", `/webhooks/${id}`, { ...as, body: { enabled: false } });
    await app.time.advance({ seconds: 6 });
    await vi.waitFor(
      async () =>
        expect(await deliveriesOf(as, id)).toMatchObject([{ status: "failed", error: "the webhook is disabled" }]),
      { timeout: 10_000 },
    );
    expect(receiver.received).toHaveLength(1);
  });
});

describe("the secret", () => {
  test("is replaced at once, or after a grace in which both sign", async () => {
    const receiver = await Receiver.start();
    const { key, as } = await owner();
    const created = await createWebhook(as, { url: receiver.url, events: ["verification.started"] });
    const rotate = async (body: object) =>
      (await app.rest("POST", `/webhooks/${created.id}/rotate-secret`, { ...as, body })).body;

    const second = await rotate({ grace_seconds: 3600 });
    expect(second).toEqual({
      id: created.id,
      secret: expect.stringMatching(/^whsec_/),
      previous_secret_expires_at: expect.any(String),
    });
    await start(key, "one@example.com");
    const both = await receiver.got(1);
    for (const secret of [created.secret, second.secret]) {
      new Webhook(secret).verify(both.body, headersOf(both));
    }
    expect(both.headers["webhook-signature"]?.toString().split(" ")).toHaveLength(2);

    const third = await rotate({});
    expect(third.previous_secret_expires_at).toBeNull();
    await start(key, "two@example.com");
    const one = await receiver.got(2);
    new Webhook(third.secret).verify(one.body, headersOf(one));
    expect(one.headers["webhook-signature"]?.toString().split(" ")).toHaveLength(1);
    const answers = [await app.rest("GET", "/webhooks", as), await app.rest("GET", `/webhooks/${created.id}`, as)];
    for (const secret of [created.secret, second.secret, third.secret]) {
      expect(JSON.stringify(answers.map(({ body }) => body))).not.toContain(secret);
      expect(app.logLines.join("\n")).not.toContain(secret);
    }
  });
});

describe("on request", () => {
  test("a ping is sent, and its answer returned", async () => {
    const receiver = await Receiver.start();
    const { as } = await owner();
    const { id, secret } = await createWebhook(as, { url: receiver.url });
    const ping = async () => (await app.rest("POST", `/webhooks/${id}/test`, as)).body;
    expect(await ping()).toEqual({
      succeeded: true,
      response_status: 200,
      response_body: "answer 1",
      error: null,
      duration_ms: expect.any(Number),
    });
    const received = await receiver.got(1);
    expect(new Webhook(secret).verify(received.body, headersOf(received))).toEqual({
      id: received.headers["webhook-id"],
      type: "ping",
      mode: "test",
      created_at: expect.any(String),
      data: null,
    });
    receiver.behaviour = 404;
    expect(await ping()).toMatchObject({ succeeded: false, response_status: 404 });
    receiver.stop();
    expect(await ping()).toMatchObject({ response_status: null, error: "the receiver refused the connection" });
    expect(await deliveriesOf(as, id)).toEqual([]);
  });

  test("a delivery is sent again, as a new one of the same event", async () => {
    const receiver = await Receiver.start();
    const { key, as } = await owner();
    const { id } = await createWebhook(as, { url: receiver.url, events: ["verification.started"] });
    await start(key);
    const first = await receiver.got(1);
    const [delivery] = await deliveriesOf(as, id);
    const again = await app.rest("POST", `/webhooks/${id}/deliveries/${delivery.id}/redeliver`, as);
    expect(again).toMatchObject({ status: 201, body: { event_id: delivery.event_id, status: "pending", attempts: 0 } });
    expect(again.body.id).not.toBe(delivery.id);
    const second = await receiver.got(2);
    expect(second.headers["webhook-id"]).toBe(first.headers["webhook-id"]);
    const page = await app.rest("GET", `/webhooks/${id}/deliveries?page_size=1`, as);
    expect(page.body.deliveries.map((each: { id: string }) => each.id)).toEqual([again.body.id]);
    const next = await app.rest(
      "GET",
      `/webhooks/${id}/deliveries?page_size=1&page_token=${page.body.next_page_token}`,
      as,
    );
    expect(next.body).toMatchObject({ deliveries: [{ id: delivery.id }], next_page_token: null });
  });
});

test.each([
  [
    "a verification",
    "verification.started",
    async (key: string, recipient: string) => void (await start(key, recipient)),
  ],
  [
    "a fixed code",
    "fixed_code.created",
    async (_: string, recipient: string, as: RestCall) => {
      const body = { recipient, password, description: "phone of Ada" };
      expect((await app.rest("POST", "/fixed-codes", { ...as, body })).status).toBe(201);
    },
  ],
])(
  "erasing a recipient cancels what is still to be delivered about %s of it, and no body is kept",
  async (_, type, make) => {
    const receiver = await Receiver.start();
    receiver.behaviour = 500;
    const { key, as } = await owner("live");
    const { id } = await createWebhook(as, { url: receiver.url, events: [type] });
    await make(key, "forget@example.com", as);
    const { event } = await receiver.got(1);
    expect(event.data.recipient).toBe("f•••@example.com");
    await vi.waitFor(async () => expect(await deliveriesOf(as, id)).toMatchObject([{ attempts: 1 }]), {
      timeout: 20_000,
    });
    await app.rest("POST", "/verifications/erase", { key, body: { recipient: "forget@example.com" } });
    expect(await deliveriesOf(as, id)).toMatchObject([
      { status: "canceled", error: "the recipient was erased", next_attempt_at: null },
    ]);
  },
);
