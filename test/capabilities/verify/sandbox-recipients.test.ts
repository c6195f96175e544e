/** The recipients of the sandbox that have an outcome of their own. */
import { readFile } from "node:fs/promises";
import { Code } from "@connectrpc/connect";
import { beforeAll, describe, expect, test } from "vitest";
import {
  Channel,
  CheckVerificationResponse_Status as CheckStatus,
  Delivery_Status as DeliveryStatus,
} from "../../../gen/byond/v1/verify_pb.ts";
import { parseConfig } from "../../../src/app.ts";
import {
  sandboxDelaySeconds,
  sandboxOutcome,
  sandboxRecipients,
} from "../../../src/capabilities/channels/sandbox-recipients.ts";
import { useTestApp } from "../../support/app.ts";
import { verifyEmailOf } from "../../support/verified-email.ts";
import { check, start } from "./verify-calls.ts";

describe("the outcome of a recipient", () => {
  test.each([
    ["undeliverable@example.com", "undeliverable"],
    ["Undeliverable-42@Example.com", "undeliverable"],
    ["undeliverable+42@example.com", "undeliverable"],
    ["slow@example.com", "slow"],
    ["blocked@example.com", "blocked"],
    ["expired-a-b@example.com", "expired"],
    ["delivered@example.com", "delivered"],
    ["ada@example.com", "delivered"],
    ["undeliverables@example.com", "delivered"],
    ["undeliverable@example.org", "delivered"],
    ["undeliverable@mail.example.com", "delivered"],
    ["no_whatsapp@example.com", "delivered"],
  ])("%s is %s", (address, outcome) => {
    expect(sandboxOutcome("email", address)).toBe(outcome);
  });

  test.each([
    ["+2348000001200", "delivered"],
    ["+2348000001250", "undeliverable"],
    ["+2341000009969", "slow"],
    ["+2341000000070", "blocked"],
    ["+12125550189", "expired"],
    ["+12125550123", "delivered"],
    ["+18085550150", "undeliverable"],
    ["+12125550250", "delivered"],
    ["+12125560150", "delivered"],
    ["+2348010001250", "delivered"],
    ["+6591234550", "delivered"],
  ])("%s is %s", (e164, outcome) => {
    for (const channel of ["sms", "voice", "whatsapp"] as const) {
      expect(sandboxOutcome(channel, e164)).toBe(outcome);
    }
  });

  test("a number without an account is undeliverable on WhatsApp only", () => {
    expect(sandboxOutcome("whatsapp", "+12125550140")).toBe("undeliverable");
    expect(sandboxOutcome("sms", "+12125550140")).toBe("delivered");
    expect(sandboxOutcome("voice", "+12125550140")).toBe("delivered");
  });

  test("every last digit but one has one outcome, and the guide has the same table", async () => {
    expect(sandboxRecipients.flatMap(({ lastTens }) => lastTens).sort()).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    const chapter = await readFile(
      new URL("../../../src/capabilities/reference/guide/test-mode.md", import.meta.url),
      "utf8",
    );
    const rows = [...chapter.matchAll(/^\| (\w+(?: \w+)*) \| (?:`([^`]+)@example\.com`)? ?\| (.*?) \| /gm)];
    expect(rows.map(([, outcome, mailbox, digits]) => ({ outcome, mailbox, digits }))).toEqual(
      sandboxRecipients.map(({ outcome, mailbox, lastTens }) => ({
        outcome: outcome === "no_whatsapp" ? "no account" : outcome,
        mailbox,
        digits: lastTens.map((tens) => `\`${tens}x\``).join(" "),
      })),
    );
    expect(chapter).toContain(`after ${sandboxDelaySeconds} seconds`);
  });
});

const { delivery } = parseConfig({
  SMS_URL: "http://127.0.0.1:9/",
  VOICE_URL: "http://127.0.0.1:9/",
  PROVIDER_SECRET: "a secret of thirty-two bytes or more",
});
const app = useTestApp({ delivery });
let sandbox: string;
let live: string;
beforeAll(async () => {
  const { session, workspaceId } = await app.signUp();
  await verifyEmailOf(app.databaseUrl, workspaceId);
  const mint = async (mode: string) =>
    (await app.rest("POST", "/api-keys", { session, body: { name: mode, mode } })).body.key;
  sandbox = await mint("test");
  live = await mint("live");
});

/** The verification, once its newest message has one of the statuses. */
async function whenMessage(id: string, statuses: readonly string[]) {
  for (let look = 0; look < 500; look++) {
    const { body } = await app.rest("GET", `/verify/${id}`, { key: sandbox });
    if (statuses.includes(body.deliveries.at(-1)?.status)) {
      return body;
    }
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  throw new Error(`no message of ${id} became ${statuses}`);
}

test.each([
  ["email", "undeliverable-1@example.com"],
  ["whatsapp", "+12125550140"],
  ["sms", "+12125550150"],
  ["voice", "+2348000000051"],
])("a message by %s to %s fails for good, and the code works all the same", async (channel, recipient) => {
  const { body } = await start(app, sandbox, recipient, { channel });
  expect(body.status).toBe("pending");
  const { deliveries } = await whenMessage(body.verification_id, ["failed"]);
  expect(deliveries).toMatchObject([
    { status: "failed", attempts: 1, error: "the sandbox's recipient is undeliverable" },
  ]);
  expect((await app.inbox()).map((message) => message.recipient)).not.toContain(recipient);
  const failed = async () => {
    const { body: page } = await app.rest("GET", "/events?type=verification.delivery_failed", { key: sandbox });
    return page.events.map((event: { data: { verification_id: string } }) => event.data.verification_id);
  };
  await expect.poll(failed).toContain(body.verification_id);
  expect(await check(app, sandbox, body.verification_id, "000000")).toBe("approved");
});

test.each([
  ["sms", "+12125550141"],
  ["email", "delivered-1@example.com"],
  ["sms", "+2341000000011"],
])("a message by %s to %s arrives at once", async (channel, recipient) => {
  const { body } = await start(app, sandbox, recipient, { channel });
  const { deliveries } = await whenMessage(body.verification_id, ["sent", "failed"]);
  expect(deliveries).toMatchObject([{ status: "sent", attempts: 1, error: null }]);
  expect((await app.messageTo(recipient)).code).toBe("000000");
});

test("a message to a slow recipient waits, and arrives after ten seconds", async () => {
  const { body } = await start(app, sandbox, "slow-1@example.com");
  const { verify } = app.grpc({ "x-api-key": sandbox });
  const delivery = async () => {
    const { verification } = await verify.getVerification({ verificationId: body.verification_id });
    return verification?.deliveries[0];
  };
  await expect.poll(async () => (await delivery())?.attempts).toBe(1);
  expect(await delivery()).toMatchObject({ status: DeliveryStatus.QUEUED, error: "the sandbox's recipient is slow" });
  expect((await app.inbox()).map((message) => message.recipient)).not.toContain("slow-1@example.com");
  await app.time.advance({ seconds: sandboxDelaySeconds });
  expect((await app.messageTo("slow-1@example.com")).code).toBe("000000");
  expect((await whenMessage(body.verification_id, ["sent"])).deliveries).toMatchObject([{ attempts: 2, error: null }]);
});

test("a code for an expired recipient has expired when it is checked, over REST and RPC", async () => {
  const { status, body } = await start(app, sandbox, "expired-1@example.com", { ttl_seconds: 3600 });
  expect({ status, outcome: body.status }).toEqual({ status: 201, outcome: "pending" });
  expect(await check(app, sandbox, body.verification_id, "000000")).toBe("expired");
  const { verify } = app.grpc({ "x-api-key": sandbox });
  const started = await verify.startVerification({ channel: Channel.WHATSAPP, recipient: "+12125550180" });
  const checked = await verify.checkVerification({ verificationId: started.verificationId, code: "000000" });
  expect(checked.status).toBe(CheckStatus.EXPIRED);
  expect((await app.rest("GET", `/verify/${body.verification_id}`, { key: sandbox })).body.status).toBe("expired");
});

test.each([
  ["email", "blocked-1@example.com"],
  ["whatsapp", "+2348000000070"],
  ["sms", "+12125550170"],
])("a start by %s for the blocked recipient %s is refused, and counts against no limit", async (channel, recipient) => {
  for (let attempt = 0; attempt < 5; attempt++) {
    const { status, body } = await start(app, sandbox, recipient, { channel });
    expect({ status, code: body.error.code }).toEqual({ status: 422, code: "undeliverable" });
  }
  const { verify } = app.grpc({ "x-api-key": sandbox });
  const refused = verify.startVerification({ channel: Channel.EMAIL, recipient: "blocked-2@example.com" });
  await expect(refused).rejects.toMatchObject({ code: Code.FailedPrecondition });
});

test("a resend to a second recipient who is blocked is refused", async () => {
  const { body } = await start(app, sandbox, "resends@example.com");
  const path = `/verify/${body.verification_id}/resend`;
  const resend = { channel: "sms", recipient: "+12125550171" };
  const refused = await app.rest("POST", path, { key: sandbox, body: resend });
  expect({ status: refused.status, code: refused.body.error.code }).toEqual({ status: 422, code: "undeliverable" });
});

test("an undeliverable recipient is suppressed, until the suppression is deleted", async () => {
  const recipient = "undeliverable-9@example.com";
  await start(app, sandbox, recipient);
  const suppressions = async () =>
    (await app.rest("GET", `/suppressions?recipient=${recipient}`, { key: sandbox })).body.suppressions;
  await expect.poll(async () => (await suppressions()).length).toBe(1);
  expect((await start(app, sandbox, recipient)).body.error.code).toBe("undeliverable");
  const [{ suppression_id: id }] = await suppressions();
  await app.rest("DELETE", `/suppressions/${id}`, { key: sandbox });
  expect((await start(app, sandbox, recipient)).status).toBe(201);
});

test("with a live key these recipients are like any other", async () => {
  const { body } = await start(app, live, "expired-1@example.com");
  const { code } = await app.messageTo("expired-1@example.com");
  expect(await check(app, live, body.verification_id, code)).toBe("approved");
  await start(app, live, "undeliverable-2@example.com");
  await app.messageTo("undeliverable-2@example.com");
});
