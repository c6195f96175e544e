import { beforeAll, describe, expect, test } from "vitest";
import type { InboxMessage } from "../../../src/capabilities/channels/inbox/inbox.ts";
import { useTestApp } from "../../support/app.ts";

const app = useTestApp();
let key: string;
beforeAll(async () => {
  key = await app.mintKey();
});

async function start(recipient: string, more: Record<string, unknown> = {}): Promise<string> {
  const body = { channel: "email", recipient, ...more };
  const answer = await app.rest("POST", "/verify/start", { key, body });
  expect(answer.status).toBe(201);
  return answer.body.verification_id;
}

const get = (id: string, callKey = key) => app.rest("GET", `/verify/${id}`, { key: callKey });
const codeIn = (text: string) => /\b\d{6}\b/.exec(text)?.[0] ?? "";
const check = (id: string, code: string) =>
  app.rest("POST", "/verify/check", { key, body: { verification_id: id, code } });

async function messagesTo(recipient: string, count: number): Promise<readonly InboxMessage[]> {
  for (let look = 0; look < 500; look++) {
    const found = (await app.inbox()).filter((message) => message.recipient === recipient);
    if (found.length >= count) {
      return found;
    }
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  throw new Error(`fewer than ${count} messages to ${recipient}`);
}

describe("GET /verify/{verification_id}", () => {
  test("returns status, masked recipient, attempts left, deliveries and metadata", async () => {
    const id = await start("grace@example.com", { metadata: { order: "42" } });
    await app.messageTo("grace@example.com");
    await expect.poll(async () => (await get(id)).body.deliveries[0]?.status).toBe("sent");
    const { status, body } = await get(id);
    expect(status).toBe(200);
    expect(body).toEqual({
      verification_id: id,
      channel: "email",
      status: "pending",
      recipient: "g•••@example.com",
      attempts_left: 5,
      created_at: expect.stringMatching(/Z$/),
      expires_at: expect.stringMatching(/Z$/),
      approved_at: null,
      deliveries: [
        {
          id: expect.stringMatching(/^dlv_/),
          channel: "email",
          recipient: "g•••@example.com",
          status: "sent",
          attempts: 1,
          provider: "inbox",
          provider_message_id: expect.any(String),
          segments: null,
          error: null,
          created_at: expect.stringMatching(/Z$/),
          sent_at: expect.stringMatching(/Z$/),
        },
      ],
      fallback: [],
      metadata: { order: "42" },
    });
  });

  test("shows wrong codes and the approval", async () => {
    const id = await start("follow@example.com");
    const code = codeIn((await app.messageTo("follow@example.com")).text);
    await check(id, code === "000000" ? "111111" : "000000");
    expect((await get(id)).body).toMatchObject({ status: "pending", attempts_left: 4 });
    await check(id, code);
    expect((await get(id)).body).toMatchObject({
      status: "approved",
      attempts_left: 0,
      approved_at: expect.stringMatching(/Z$/),
    });
  });

  test("an unknown id, another workspace and the sandbox get the same 404", async () => {
    const id = await start("foreign@example.com");
    const answers = [
      await get("vrf_0000000000000000000000"),
      await get(id, await app.mintKey()),
      await get(id, await app.mintKey({ mode: "test" })),
    ];
    expect(answers.map(({ status, body }) => [status, body.error.code])).toEqual(Array(3).fill([404, "not_found"]));
  });

  test("over gRPC the verification is a field of the response", async () => {
    const id = await start("over-grpc@example.com");
    const { verification } = await app.grpc({ "x-api-key": key }).verify.getVerification({ verificationId: id });
    expect(verification).toMatchObject({ verificationId: id, recipient: "o•••@example.com", attemptsLeft: 5 });
  });
});

describe("POST /verify/{verification_id}/resend", () => {
  const resend = (id: string, body: Record<string, unknown> = {}) =>
    app.rest("POST", `/verify/${id}/resend`, { key, body });

  test("sends the same code with the same expiry and the same attempts left", async () => {
    const id = await start("again@example.com");
    const first = codeIn((await app.messageTo("again@example.com")).text);
    await check(id, first === "000000" ? "111111" : "000000");
    const before = (await get(id)).body;
    const { status, body } = await resend(id);
    expect(status).toBe(200);
    expect(body).toMatchObject({ status: "pending", attempts_left: 4, expires_at: before.expires_at });
    expect(body.deliveries).toHaveLength(2);
    const [newest] = await messagesTo("again@example.com", 2);
    expect(codeIn(newest?.text ?? "")).toBe(first);
    expect((await check(id, first)).body.status).toBe("approved");
  });

  test("sends over another channel, to a recipient of the form that the channel takes", async () => {
    const id = await start("other-channel@example.com");
    const code = codeIn((await app.messageTo("other-channel@example.com")).text);
    expect((await resend(id, { channel: "whatsapp" })).body.error.fields).toEqual({
      recipient: "is required for this channel",
    });
    expect((await resend(id, { channel: "sms", recipient: "+6591230001" })).body.error.fields).toEqual({
      channel: "is not served here yet",
    });
    expect((await resend(id, { channel: "whatsapp", recipient: "+6591230001" })).status).toBe(200);
    const [message] = await messagesTo("+6591230001", 1);
    expect(message?.channel).toBe("whatsapp");
    expect(codeIn(message?.text ?? "")).toBe(code);
  });

  test("counts against the recipient's limit, as starts do: three at once, then one a minute", async () => {
    const id = await start("resend-limit@example.com", { ttl_seconds: 3600 });
    const statuses: number[] = [];
    for (let send = 0; send < 3; send++) {
      statuses.push((await resend(id)).status);
    }
    expect(statuses).toEqual([200, 200, 429]);
    await app.time.advance({ seconds: 61 });
    expect((await resend(id)).status).toBe(200);
  });

  test("returns a finished verification unchanged, and sends nothing", async () => {
    const id = await start("finished@example.com");
    await check(id, codeIn((await app.messageTo("finished@example.com")).text));
    const { status, body } = await resend(id);
    expect(status).toBe(200);
    expect(body).toMatchObject({ status: "approved" });
    expect(body.deliveries).toHaveLength(1);
  });
});

describe("POST /verify/{verification_id}/cancel", () => {
  test("cancels a pending verification: a check of its code answers expired", async () => {
    const id = await start("cancel@example.com");
    const code = codeIn((await app.messageTo("cancel@example.com")).text);
    const cancel = () => app.rest("POST", `/verify/${id}/cancel`, { key, body: {} });
    expect((await cancel()).body).toMatchObject({ status: "canceled", attempts_left: 0 });
    expect((await check(id, code)).body.status).toBe("expired");
    expect((await cancel()).body).toMatchObject({ status: "canceled" });
  });

  test("does not undo an approval", async () => {
    const id = await start("approved-first@example.com");
    await check(id, codeIn((await app.messageTo("approved-first@example.com")).text));
    const { body } = await app.rest("POST", `/verify/${id}/cancel`, { key, body: {} });
    expect(body.status).toBe("approved");
  });
});

describe("GET /verifications", () => {
  test("needs the scope reports", async () => {
    const verifyKey = await app.mintKey({ scopes: ["verify"] });
    const refused = await app.rest("GET", "/verifications", { key: verifyKey });
    expect(refused).toMatchObject({ status: 403, body: { error: { required_scope: "reports" } } });
    const reportsKey = await app.mintKey({ scopes: ["reports"] });
    expect((await app.rest("GET", "/verifications", { key: reportsKey })).body).toEqual({
      verifications: [],
      next_page_token: null,
    });
  });

  test("returns each verification once, newest first, in pages, and applies the filters", async () => {
    const list = (query: string) => app.rest("GET", `/verifications?${query}`, { key: listKey });
    const listKey = await app.mintKey();
    const ids: string[] = [];
    for (let index = 0; index < 7; index++) {
      const channel = index % 2 === 0 ? "email" : "sms";
      const recipient = index % 2 === 0 ? `list-${index}@example.com` : `+659123000${index}`;
      const { body } = await app.rest("POST", "/verify/start", { key: listKey, body: { channel, recipient } });
      ids.unshift(body.verification_id);
    }
    const seen: string[] = [];
    let token: string | null = null;
    do {
      const { body } = await list(`page_size=3${token === null ? "" : `&page_token=${token}`}`);
      seen.push(...body.verifications.map((each: { verification_id: string }) => each.verification_id));
      token = body.next_page_token;
    } while (token !== null);
    expect(seen).toEqual(ids);

    const idsOf = async (query: string) =>
      (await list(query)).body.verifications.map((each: { verification_id: string }) => each.verification_id);
    const ofChannel = (parity: number) => ids.filter((_, index) => (ids.length - 1 - index) % 2 === parity);
    expect(await idsOf("channel=email")).toEqual(ofChannel(0));
    expect(await idsOf("status=channel_unavailable")).toEqual(ofChannel(1));
    expect(await idsOf("recipient=LIST-2@example.com")).toEqual([ids[4]]);
    for (const number of ["+6591230003", "%2B6591230003", "+65+9123+0003", "%20%2B6591230003"]) {
      expect(await idsOf(`recipient=${number}`)).toEqual([ids[3]]);
    }
    expect(await idsOf("created_after=2100-01-01T00:00:00Z")).toEqual([]);
    expect(await idsOf("created_before=2100-01-01T00:00:00Z&status=pending&channel=email")).toEqual(ofChannel(0));
  });

  test.each([
    ["page_token=nonsense", "page_token"],
    ["recipient=nobody", "recipient"],
    ["recipient=%206591230003", "recipient"],
    ["page_size=101", "page_size"],
    ["status=done", "status"],
  ])("%s is refused, and the error names the field", async (query, field) => {
    const { status, body } = await app.rest("GET", `/verifications?${query}`, { key });
    expect(status).toBe(422);
    expect(Object.keys(body.error.fields)).toEqual([field]);
  });
});

describe("POST /verifications/erase", () => {
  test("erases the recipient from its verifications and cancels pending ones", async () => {
    const id = await start("forget.me@example.com", { metadata: { name: "Alan" } });
    const code = codeIn((await app.messageTo("forget.me@example.com")).text);
    const erase = (recipient = "Forget.Me@EXAMPLE.com") =>
      app.rest("POST", "/verifications/erase", { key, body: { recipient } });
    expect((await erase("forget.me+x@example.com")).body).toEqual({ erased: 0 });
    expect((await erase()).body).toEqual({ erased: 1 });
    expect((await get(id)).body).toMatchObject({ status: "canceled", recipient: null, metadata: {} });
    expect((await check(id, code)).body.status).toBe("expired");
    expect((await erase()).body).toEqual({ erased: 0 });
  });
});
