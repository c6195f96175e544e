/** Who cannot receive messages is sent no more of them for a time, and each workspace sees and ends its own suppressions. */
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import { type Config, parseConfig } from "../../../src/app.ts";
import { type SignedUp, type TestApp, useTestApp } from "../../support/app.ts";
import { limitsOf } from "../../support/limit-settings.ts";
import { type Protocol, protocols } from "../../support/protocols.ts";
import { verifyEmailOf } from "../../support/verified-email.ts";
import { SmtpSink, smtpError } from "../channels/smtp-sink.ts";
import { markUndeliverable } from "./mark-undeliverable.ts";

/** A mail server that has no mailbox whose name begins with `gone`. */
const sink = await SmtpSink.open();
sink.behaviour.onRecipient = (address) => {
  if (/^gone/i.test(address)) {
    throw smtpError(550, `5.1.1 <${address}>: no such user`);
  }
  if (/^refused/.test(address)) {
    throw smtpError(550, "5.7.1 your server is on a list");
  }
};

const configOf = (changes: Partial<Config> = {}): Partial<Config> => ({
  delivery: { ...parseConfig({}).delivery, smtp: { url: sink.url, from: "no-reply@acme.example" } },
  secrets: ["a master secret that the tests know of"],
  ...limitsOf({ DEFAULT_TIER: "unlimited", SIGN_UP_LIMIT: "1000" }),
  ...changes,
});

const app = useTestApp(configOf());
let withoutSuppressions: TestApp;
let account: SignedUp;
let key: string;
let recipients = 0;
beforeAll(async () => {
  withoutSuppressions = await app.startAnother(configOf({ suppressionDays: 0 }));
});
beforeEach(async () => {
  // So that the next account is not one too many.
  await app.time.advance({ seconds: 60 });
  account = await app.signUp();
  await verifyEmailOf(app.databaseUrl, account.workspaceId);
  key = await mint("live");
});
afterAll(async () => {
  await withoutSuppressions[Symbol.asyncDispose]();
  await sink.close();
});

const mint = async (mode: "live" | "test"): Promise<string> =>
  (await app.rest("POST", "/api-keys", { session: account.session, body: { name: mode, mode } })).body.key;
const newMail = (name = "gone") => `${name}-${++recipients}@example.com`;
const noMailbox = "the mail server answered 550 5.1.1 to RCPT TO";

describe.each(protocols)("over $name", (protocol) => {
  const api = (server = app, credential: { readonly key?: string; readonly session?: string } = { key }) =>
    callsOf(protocol, server, credential);

  test("a mailbox that does not exist is undeliverable from the second start on, and again after its suppression is ended", async () => {
    const { call, failedStart, list } = api();
    const recipient = newMail();
    const id = await failedStart(recipient);
    const refused = await call("StartVerification", { channel: "email", recipient });
    expect(refused.code).toBe("undeliverable");
    expect(refused.body.message).toBe(`Messages to this recipient cannot be delivered on this channel: ${noMailbox}.`);
    const [suppression] = await list();
    expect(suppression).toMatchObject({
      channel: "email",
      recipient: "g•••@example.com",
      reason: noMailbox,
      verification_id: id,
    });
    expect(Date.parse(suppression.expires_at) - Date.parse(suppression.created_at)).toBe(30 * 86_400_000);
    const { suppression_id } = suppression;
    expect(suppression_id).toMatch(/^sup_[0-9A-Za-z]{22}$/);
    expect((await call("DeleteSuppression", { suppression_id })).body).toEqual({ suppression_id, deleted: true });
    expect((await call("DeleteSuppression", { suppression_id })).code).toBe("not_found");
    expect(await list()).toEqual([]);
    await failedStart(recipient);
    expect(await list()).toHaveLength(1);
  });

  test("a refused start sends nothing and costs no token of the recipient's limit", async () => {
    const { call, failedStart, list } = api();
    const recipient = newMail();
    await failedStart(recipient);
    const codes = await Promise.all(
      Array.from({ length: 5 }, async () => (await call("StartVerification", { channel: "email", recipient })).code),
    );
    expect(codes).toEqual(Array(5).fill("undeliverable"));
    const [{ suppression_id }] = await list();
    await call("DeleteSuppression", { suppression_id });
    expect((await call("StartVerification", { channel: "email", recipient })).code).toBe("ok");
  });

  test("a resend to a suppressed recipient is refused, and is not counted", async () => {
    const { call, failedStart } = api();
    const recipient = newMail();
    const id = await failedStart(recipient);
    expect((await call("ResendCode", { verification_id: id })).code).toBe("undeliverable");
    expect((await call("GetVerification", { verification_id: id })).body.deliveries).toHaveLength(1);
  });

  test("only the exact address on this channel is suppressed, in upper and lower case", async () => {
    const { call, failedStart, start } = api();
    const number = ++recipients;
    await failedStart(`gone+nobody-${number}@example.com`);
    const codeOf = async (recipient: string) => (await call("StartVerification", { channel: "email", recipient })).code;
    expect(await codeOf(`GONE+Nobody-${number}@Example.com`)).toBe("undeliverable");
    // The limits fold the tag away.
    expect(await codeOf("gone@example.com")).toBe("ok");
    await start({ channel: "email", recipient: newMail("ada") });
  });

  test("each workspace and each mode has suppressions of its own, and no call about others' finds anything", async () => {
    const { failedStart, list } = api();
    const recipient = newMail();
    await failedStart(recipient);
    const [{ suppression_id }] = await list();
    const sandbox = api(app, { key: await mint("test") });
    expect(await sandbox.list()).toEqual([]);
    expect((await sandbox.call("DeleteSuppression", { suppression_id })).code).toBe("not_found");
    await sandbox.start({ channel: "email", recipient });
    const session = api(app, { session: account.session });
    account = await app.signUp();
    await verifyEmailOf(app.databaseUrl, account.workspaceId);
    const other = api(app, { key: await mint("live") });
    expect(await other.list()).toEqual([]);
    expect((await other.call("DeleteSuppression", { suppression_id })).code).toBe("not_found");
    expect((await other.call("StartVerification", { channel: "email", recipient })).code).toBe("ok");
    expect(await session.list()).toHaveLength(1);
    expect((await session.call("DeleteSuppression", { suppression_id })).code).toBe("ok");
  });

  test("the list is paged, newest first, and filtered by recipient and channel", async () => {
    const { call, failedStart, list } = api();
    const sent = [newMail(), newMail(), newMail()];
    const ids = [];
    for (const recipient of sent) {
      ids.unshift(await failedStart(recipient));
    }
    const verificationsOf = (found: readonly { verification_id: string }[]) =>
      found.map((each) => each.verification_id);
    expect(verificationsOf(await list())).toEqual(ids);
    const first = (await call("ListSuppressions", { page_size: 2 })).body;
    expect(verificationsOf(first.suppressions)).toEqual(ids.slice(0, 2));
    const second = (await call("ListSuppressions", { page_size: 2, page_token: first.next_page_token })).body;
    expect(verificationsOf(second.suppressions)).toEqual(ids.slice(2));
    expect(second.next_page_token).toBeNull();
    expect(verificationsOf(await list({ recipient: sent[1] }))).toEqual([ids[1]]);
    expect(verificationsOf(await list({ recipient: sent[1], channel: "sms" }))).toEqual([]);
    expect(verificationsOf(await list({ channel: "email" }))).toEqual(ids);
    expect((await call("ListSuppressions", { recipient: "nobody" })).body.fields).toEqual({
      recipient: "must be a phone number in E.164 form or an email address",
    });
    expect((await call("ListSuppressions", { page_token: "x" })).body.fields).toHaveProperty("page_token");
  });

  test("erasing a recipient erases its suppressions, also when its verifications are gone", async () => {
    const { call, failedStart, list } = api();
    const recipient = newMail();
    await failedStart(recipient);
    expect((await call("EraseRecipient", { recipient })).body).toEqual({ erased: 1 });
    expect(await list()).toEqual([]);
    await failedStart(recipient);
    expect(await list()).toHaveLength(1);
  });
});

function callsOf(
  protocol: Protocol,
  server: TestApp,
  credential: { readonly key?: string; readonly session?: string },
) {
  const call = (name: Parameters<Protocol["call"]>[1], input: Record<string, unknown>) =>
    protocol.call(server, name, input, credential);
  const start = async (input: Record<string, unknown>): Promise<string> => {
    const { code, body } = await call("StartVerification", input);
    expect(code).toBe("ok");
    return body.verification_id;
  };
  return {
    call,
    start,
    list: async (input: Record<string, unknown> = {}) => (await call("ListSuppressions", input)).body.suppressions,
    /** Starts a verification whose mail is refused, and waits for that. */
    async failedStart(recipient: string): Promise<string> {
      const id = await start({ channel: "email", recipient });
      await vi.waitFor(
        async () => {
          const { body } = await call("GetVerification", { verification_id: id });
          expect(body.deliveries[0]).toMatchObject({ status: "failed", error: noMailbox });
        },
        { timeout: 20_000 },
      );
      return id;
    },
  };
}

const rest = () => callsOf(protocols[0] as Protocol, app, { key });

test("a refusal by policy suppresses nobody", async () => {
  const { start, call, list } = rest();
  const id = await start({ channel: "email", recipient: newMail("refused") });
  await vi.waitFor(
    async () => {
      expect((await call("GetVerification", { verification_id: id })).body.deliveries[0].status).toBe("failed");
    },
    { timeout: 20_000 },
  );
  expect(await list()).toEqual([]);
});

test("an address of an account that does not exist keeps no code from the account", async () => {
  const { session } = await app.signUp();
  const email = newMail();
  const changed = await app.rest("POST", "/auth/sign-up", {
    body: { email, password: "correct horse battery staple", name: "Ada" },
  });
  expect(changed.status).toBe(201);
  for (let count = 0; count < 2; count += 1) {
    const { status } = await app.rest("POST", "/auth/verify-email", { session: changed.body.access_token ?? session });
    expect(status).toBe(201);
  }
});

test("a server whose SUPPRESSION_DAYS is 0 refuses nobody", async () => {
  const { failedStart } = rest();
  const recipient = newMail();
  await failedStart(recipient);
  const { status } = await withoutSuppressions.rest("POST", "/verify/start", {
    key,
    body: { channel: "email", recipient },
  });
  expect(status).toBe(201);
});

test("a recipient that is reported as unreachable after its code was approved is not suppressed, unless another channel may have been read", async () => {
  const sandboxKey = await mint("test");
  const { start, call, list } = callsOf(protocols[0] as Protocol, app, { key: sandboxKey });
  const sent = async (id: string, count = 1) =>
    vi.waitFor(
      async () => {
        const { body } = await call("GetVerification", { verification_id: id });
        expect(body.deliveries.map(({ status }: { status: string }) => status)).toEqual(Array(count).fill("sent"));
      },
      { timeout: 20_000 },
    );
  const read = await start({ channel: "email", recipient: newMail() });
  await sent(read);
  await call("CheckVerification", { verification_id: read, code: "000000" });
  await markUndeliverable(app.databaseUrl, read);
  expect(await list()).toEqual([]);
  const either = await start({ channel: "email", recipient: newMail() });
  await call("ResendCode", { verification_id: either, channel: "whatsapp", recipient: "+6591234567" });
  await sent(either, 2);
  await call("CheckVerification", { verification_id: either, code: "000000" });
  await markUndeliverable(app.databaseUrl, either);
  const suppressed = (await list()).map(({ channel, recipient }: { channel: string; recipient: string }) => [
    channel,
    recipient,
  ]);
  expect(suppressed.toSorted()).toEqual([
    ["email", "g•••@example.com"],
    ["whatsapp", "+65••••4567"],
  ]);
});

test("a suppression ends when the code of its message is approved, unless another channel may have been read or nothing was sent", async () => {
  const sandboxKey = await mint("test");
  const { start, call, list } = callsOf(protocols[0] as Protocol, app, { key: sandboxKey });
  const statuses = (id: string, expected: readonly string[]) =>
    vi.waitFor(
      async () => {
        const { body } = await call("GetVerification", { verification_id: id });
        expect(body.deliveries.map(({ status }: { status: string }) => status)).toEqual(expected);
      },
      { timeout: 20_000 },
    );
  const approve = async (id: string) =>
    expect((await call("CheckVerification", { verification_id: id, code: "000000" })).body.status).toBe("approved");
  const recipient = newMail();
  const read = await start({ channel: "email", recipient });
  await statuses(read, ["sent"]);
  await markUndeliverable(app.databaseUrl, read);
  expect((await call("StartVerification", { channel: "email", recipient })).code).toBe("undeliverable");
  await approve(read);
  expect(await list()).toEqual([]);
  expect((await call("StartVerification", { channel: "email", recipient })).code).toBe("ok");

  const either = await start({ channel: "email", recipient: newMail() });
  await call("ResendCode", { verification_id: either, channel: "whatsapp", recipient: "+6591234569" });
  await statuses(either, ["sent", "sent"]);
  await markUndeliverable(app.databaseUrl, either);
  await approve(either);
  expect(await list()).toHaveLength(2);
  const refused = await start({ channel: "email", recipient: "undeliverable-approved@example.com" });
  await statuses(refused, ["failed"]);
  await approve(refused);
  expect(await list()).toHaveLength(3);
});

test("a suppression ends after its days, on WhatsApp after one, and is swept", async () => {
  const sandboxKey = await mint("test");
  const { start, call, list } = callsOf(protocols[0] as Protocol, app, { key: sandboxKey });
  const recipient = newMail();
  const id = await start({ channel: "email", recipient });
  await call("ResendCode", { verification_id: id, channel: "whatsapp", recipient: "+6591234568" });
  await vi.waitFor(
    async () => {
      const { body } = await call("GetVerification", { verification_id: id });
      expect(body.deliveries.map(({ status }: { status: string }) => status)).toEqual(["sent", "sent"]);
    },
    { timeout: 20_000 },
  );
  await markUndeliverable(app.databaseUrl, id);
  const codeOf = async (input: object) => (await call("StartVerification", { ...input })).code;
  const whatsapp = { channel: "whatsapp", recipient: "+6591234568" };
  expect([await codeOf(whatsapp), await codeOf({ channel: "email", recipient })]).toEqual([
    "undeliverable",
    "undeliverable",
  ]);
  await app.time.advance({ seconds: 86_401 });
  expect((await list()).map(({ channel }: { channel: string }) => channel)).toEqual(["email"]);
  expect([await codeOf(whatsapp), await codeOf({ channel: "email", recipient })]).toEqual(["ok", "undeliverable"]);
  await app.time.advance({ seconds: 29 * 86_400 });
  expect(await list()).toEqual([]);
  expect(await codeOf({ channel: "email", recipient })).toBe("ok");
});
