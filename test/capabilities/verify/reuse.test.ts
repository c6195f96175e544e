/** A start that sends the code of a pending verification again instead of starting another one. */
import { beforeAll, describe, expect, test } from "vitest";
import { Channel, Reuse } from "../../../gen/byond/v1/verify_pb.ts";
import { useTestApp } from "../../support/app.ts";
import { check, codeIn, messagesTo, rowsOf, start } from "./verify-calls.ts";

const app = useTestApp();
let key: string;
beforeAll(async () => {
  key = await app.mintKey();
});

const reuse = { reuse: "pending" };
const countOf = async (recipient: string) =>
  (await app.rest("GET", `/verifications?recipient=${encodeURIComponent(recipient)}`, { key })).body.verifications
    .length;

describe("with a pending verification of the channel and recipient", () => {
  test("its code is sent again, and the answer has its id and its expiry", async () => {
    const recipient = "again@example.com";
    const first = await start(app, key, recipient, { ...reuse, ttl_seconds: 600, code_length: 8 });
    expect(first.body).toMatchObject({ status: "pending", reused: false });
    for (const spelling of [recipient, "AGAIN@example.com"]) {
      const again = await start(app, key, spelling, { ...reuse, ttl_seconds: 60 });
      expect([again.status, again.body]).toEqual([201, { ...first.body, reused: true }]);
    }
    const messages = await messagesTo(app, recipient, 2);
    expect(new Set(messages.map(codeIn)).size).toBe(1);
    expect(await countOf(recipient)).toBe(1);
    expect(await check(app, key, first.body.verification_id, codeIn(messages[0]))).toBe("approved");
    await app.time.advance({ seconds: 61 });
    expect((await start(app, key, recipient, reuse)).body.reused).toBe(false);
  });

  test("the same over gRPC", async () => {
    const { verify } = app.grpc({ "x-api-key": key });
    const request = { channel: Channel.EMAIL, recipient: "grpc-again@example.com", reuse: Reuse.PENDING };
    const first = await verify.startVerification(request);
    const second = await verify.startVerification(request);
    expect([first.reused, second.reused, second.verificationId]).toEqual([false, true, first.verificationId]);
    const { reused } = await verify.startVerification({ ...request, reuse: undefined });
    expect(reused).toBeUndefined();
  });

  test("the limits are those of a send, and one that was sent five times is not used", async () => {
    const recipient = "often@example.com";
    const { body } = await start(app, key, recipient, { ...reuse, ttl_seconds: 3600 });
    for (let sends = 1; sends < 5; sends += 1) {
      await app.time.advance({ seconds: 61 });
      expect((await start(app, key, recipient, reuse)).body.verification_id).toBe(body.verification_id);
    }
    await app.time.advance({ seconds: 61 });
    const next = await start(app, key, recipient, reuse);
    expect([next.body.reused, next.body.verification_id === body.verification_id]).toEqual([false, false]);
    const codes = [];
    for (let calls = 0; calls < 4; calls += 1) {
      codes.push((await start(app, key, recipient, reuse)).status);
    }
    expect(codes).toContain(429);
    expect(await countOf(recipient)).toBe(2);
  });

  test("thirty parallel calls start one", async () => {
    const recipient = "parallel@example.com";
    const answers = await Promise.all(Array.from({ length: 30 }, () => start(app, key, recipient, reuse)));
    const ok = answers.filter(({ status }) => status === 201);
    expect(answers.filter(({ status }) => status !== 201 && status !== 429)).toEqual([]);
    expect(ok.filter(({ body }) => body.reused === false)).toHaveLength(1);
    expect(new Set(ok.map(({ body }) => body.verification_id)).size).toBe(1);
    expect(await countOf(recipient)).toBe(1);
    expect(await messagesTo(app, recipient, ok.length)).toHaveLength(ok.length);
  });

  test("an idempotency key gets the first answer, and nothing is sent again", async () => {
    const recipient = "idempotent@example.com";
    const first = await start(app, key, recipient, reuse);
    const call = () =>
      app.rest("POST", "/verify/start", {
        key,
        body: { channel: "email", recipient, ...reuse },
        headers: { "Idempotency-Key": "reuse-1" },
      });
    const [second, third] = [await call(), await call()];
    expect(second.body).toEqual({ ...first.body, reused: true });
    expect(third.body).toEqual(second.body);
    const rows = await rowsOf(app, "SELECT sends FROM verification WHERE id = $1", [first.body.verification_id]);
    expect(rows).toEqual([{ sends: 2 }]);
  });
});

describe("another one is started", () => {
  test.each([
    [
      "of another channel",
      { channel: "whatsapp", recipient: "+6591230099" },
      { channel: "email", recipient: "a1@example.com" },
    ],
    [
      "for another recipient, even if limits count both as one",
      { recipient: "a2@example.com" },
      { recipient: "a2+x@example.com" },
    ],
  ])("if the pending one is %s", async (_, one, other) => {
    const call = (fields: object) =>
      app.rest("POST", "/verify/start", { key, body: { channel: "email", ...reuse, ...fields } });
    expect([(await call(one)).body.reused, (await call(other)).body.reused]).toEqual([false, false]);
  });

  test("if the pending one has other metadata, such as another user's id", async () => {
    const recipient = "metadata@example.com";
    const attacker = await start(app, key, recipient, { ...reuse, metadata: { user: "1", flow: "sign-in" } });
    const victim = await start(app, key, recipient, { ...reuse, metadata: { user: "2", flow: "sign-in" } });
    expect([attacker.body.reused, victim.body.reused]).toEqual([false, false]);
    await app.time.advance({ seconds: 61 });
    const again = await start(app, key, recipient, { ...reuse, metadata: { flow: "sign-in", user: "1" } });
    expect(again.body).toMatchObject({ verification_id: attacker.body.verification_id, reused: true });
    await app.time.advance({ seconds: 61 });
    expect((await start(app, key, recipient, reuse)).body.reused).toBe(false);
  });

  test("if the pending one is of another mode", async () => {
    const testKey = await app.mintKey({ mode: "test" });
    const recipient = "mode@example.com";
    await start(app, key, recipient, reuse);
    expect((await start(app, testKey, recipient, reuse)).body.reused).toBe(false);
  });

  test("if the pending one expires in less than ten seconds", async () => {
    const recipient = "nearly@example.com";
    const first = await start(app, key, recipient, { ...reuse, ttl_seconds: 60 });
    await app.time.advance({ seconds: 49 });
    expect((await start(app, key, recipient, reuse)).body.verification_id).toBe(first.body.verification_id);
    await app.time.advance({ seconds: 2 });
    expect((await start(app, key, recipient, reuse)).body.reused).toBe(false);
  });

  test("once it has expired or was canceled", async () => {
    const recipient = "ended@example.com";
    const first = await start(app, key, recipient, { ...reuse, ttl_seconds: 30 });
    await app.time.advance({ seconds: 61 });
    const second = await start(app, key, recipient, reuse);
    expect([first.body.reused, second.body.reused]).toEqual([false, false]);
    await app.rest("POST", `/verify/${second.body.verification_id}/cancel`, { key });
    expect((await start(app, key, recipient, reuse)).body.reused).toBe(false);
  });

  test("without a provider nothing is sent", async () => {
    const { body } = await app.rest("POST", "/verify/start", {
      key,
      body: { channel: "sms", recipient: "+6591230098", ...reuse },
    });
    expect(body).toMatchObject({ status: "channel_unavailable", reused: false });
  });
});
