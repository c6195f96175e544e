/** The sandbox: it has the same rules, sends nothing out, and never mixes its data with live data. */
import { beforeAll, expect, test } from "vitest";
import { Channel, CheckVerificationResponse_Status as CheckStatus } from "../../../gen/byond/v1/verify_pb.ts";
import { parseConfig } from "../../../src/app.ts";
import { startTestApp, useTestApp } from "../../support/app.ts";
import { verifyEmailOf } from "../../support/verified-email.ts";
import { check, codeIn, messagesTo, start, startAndRead, tally, wrongFor } from "./verify-calls.ts";

const app = useTestApp();
/** Two keys of one workspace. */
let live: string;
let sandbox: string;
beforeAll(async () => {
  const { session } = await app.signUp();
  const mint = async (mode: string) => {
    const { body } = await app.rest("POST", "/api-keys", { session, body: { name: mode, mode } });
    return String(body.key);
  };
  live = await mint("live");
  sandbox = await mint("test");
});

test.each([4, 6, 10])(
  "the code of %i digits is all zeros, and its message lands in the local inbox",
  async (digits) => {
    const recipient = `zeros-${digits}@example.com`;
    const { id, code } = await startAndRead(app, sandbox, recipient, { code_length: digits });
    expect(code).toBe("0".repeat(digits));
    expect(await check(app, sandbox, id, code)).toBe("approved");
  },
);

test("the default code is 000000", async () => {
  const { body } = await start(app, sandbox, "default@example.com");
  expect(codeIn((await messagesTo(app, "default@example.com", 1))[0])).toBe("000000");
  expect(await check(app, sandbox, body.verification_id, "000000")).toBe("approved");
});

test.each([
  "٠٠٠٠٠٠",
  "۰۰۰ ۰۰۰",
  "０００ー０００",
  "०००-०००",
  "\u200f000000\u200e",
  "\u2066٠٠٠\u061c٠٠٠\u2069",
  "000\u2011000",
])("a code is right in the digits of any script, with direction marks and hyphens: %j", async (code) => {
  const { body } = await start(app, sandbox, "digits@example.com");
  const { verify } = app.grpc({ "x-api-key": sandbox });
  expect(await check(app, sandbox, body.verification_id, code)).toBe("approved");
  await app.time.advance({ seconds: 60 });
  const another = await verify.startVerification({ channel: Channel.EMAIL, recipient: "digits-2@example.com" });
  const checked = await verify.checkVerification({ verificationId: another.verificationId, code });
  expect(checked.status).toBe(CheckStatus.APPROVED);
  await app.time.advance({ seconds: 60 });
});

test("zeros of another length are incorrect", async () => {
  const { id } = await startAndRead(app, sandbox, "length@example.com", { code_length: 8 });
  expect(await check(app, sandbox, id, "000000")).toBe("incorrect");
  expect(await check(app, sandbox, id, "00000000")).toBe("approved");
});

test("live and sandbox keys have different prefixes", () => {
  expect(live).toMatch(/^pk_live_/);
  expect(sandbox).toMatch(/^pk_test_/);
});

test("live and sandbox keys of one workspace cannot read or check each other's verifications", async () => {
  const ofLive = await startAndRead(app, live, "of-live@example.com");
  const ofSandbox = await startAndRead(app, sandbox, "of-sandbox@example.com");
  const missing = await app.rest("POST", "/verify/check", {
    key: live,
    body: { verification_id: "vrf_0000000000000000000000", code: "000000" },
  });
  expect(missing.status).toBe(404);
  for (const [key, { id, code }] of [
    [live, ofSandbox],
    [sandbox, ofLive],
  ] as const) {
    const answer = await app.rest("POST", "/verify/check", { key, body: { verification_id: id, code } });
    expect(answer.status).toBe(404);
    expect({ ...answer.body.error, request_id: "" }).toEqual({ ...missing.body.error, request_id: "" });
  }
  // Neither look was an attempt.
  expect(await check(app, live, ofLive.id, ofLive.code)).toBe("approved");
  expect(await check(app, sandbox, ofSandbox.id, ofSandbox.code)).toBe("approved");
});

test("the sandbox's code is incorrect for a live verification", async () => {
  const started = await startAndRead(app, live, "real@example.com");
  const zeros = "000000";
  // One live code in a million is zeros too.
  expect(await check(app, live, started.id, started.code === zeros ? wrongFor(started) : zeros)).toBe("incorrect");
});

test("the same limits hold as for live keys, and each mode counts on its own", async () => {
  for (const key of [sandbox, live]) {
    const answers = await Promise.all(Array.from({ length: 20 }, () => start(app, key, "throttled@example.com")));
    expect(tally(answers.map(({ status }) => status))).toEqual({ 201: 3, 429: 17 });
  }
});

test("the same validation holds as for live keys", async () => {
  const { status, body } = await start(app, sandbox, "not an address", { code_length: 3, ttl_seconds: 29 });
  expect(status).toBe(422);
  expect(body.error.fields).toEqual({
    recipient: "must be an email address",
    code_length: "must be between 4 and 10",
    ttl_seconds: "must be between 30 and 3600",
  });
});

test("five wrong codes lock a verification, and the right one then answers locked", async () => {
  const started = await startAndRead(app, sandbox, "locked@example.com");
  const outcomes = [];
  for (let attempt = 1; attempt <= 5; attempt++) {
    outcomes.push(await check(app, sandbox, started.id, wrongFor(started)));
  }
  expect(outcomes).toEqual(["incorrect", "incorrect", "incorrect", "incorrect", "locked"]);
  expect(await check(app, sandbox, started.id, "000000")).toBe("locked");
});

test.each(["sms", "voice"])("%s answers channel_unavailable, as for live keys", async (channel) => {
  for (const key of [live, sandbox]) {
    const { status, body } = await start(app, key, "+6591234567", { channel });
    expect({ status, outcome: body.status }).toEqual({ status: 201, outcome: "channel_unavailable" });
  }
});

test("with a mail provider, live mail goes to the provider and sandbox mail only to the inbox", async () => {
  // Nothing listens on this port: whatever is sent to the provider does not arrive.
  await using server = await startTestApp({
    delivery: { ...parseConfig({}).delivery, smtp: { url: "smtp://127.0.0.1:9", from: "no-reply@example.com" } },
  });
  const { session, workspaceId } = await server.signUp();
  await verifyEmailOf(server.databaseUrl, workspaceId);
  const mint = async (mode: string) => {
    const { body } = await server.rest("POST", "/api-keys", { session, body: { name: mode, mode } });
    return String(body.key);
  };
  expect((await start(server, await mint("live"), "live@example.com")).body.status).toBe("pending");
  const { code } = await startAndRead(server, await mint("test"), "sandbox@example.com");
  expect(code).toBe("000000");
  expect((await server.inbox()).map(({ recipient }) => recipient)).toEqual(["sandbox@example.com"]);
});
