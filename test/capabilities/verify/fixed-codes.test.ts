/** Fixed codes of a few recipients in live mode: allowed by the operator, made with the password, and no way past the limits. */
import { createClient } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import { beforeAll, describe, expect, test, vi } from "vitest";
import { FixedCodeService } from "../../../gen/byond/v1/fixed_code_pb.ts";
import { CheckVerificationResponse_Status as CheckStatus } from "../../../gen/byond/v1/verify_pb.ts";
import { deriveCode, deriveFixedCode } from "../../../src/capabilities/verify/code.ts";
import { createKeyring } from "../../../src/crypto/keyring.ts";
import { password, useTestApp } from "../../support/app.ts";
import { protocols } from "../../support/protocols.ts";
import { rowsOf, start, tally } from "./verify-calls.ts";

const app = useTestApp({ allowsFixedCodes: true });

/** An account with a live key. */
async function account() {
  const signedUp = await app.signUp();
  const { body } = await app.rest("POST", "/api-keys", { session: signedUp.session, body: { name: "live" } });
  return { ...signedUp, key: String(body.key) };
}
type Account = Awaited<ReturnType<typeof account>>;

const fix = ({ session }: Account, recipient: string, fields: object = {}) =>
  app.rest("POST", "/fixed-codes", { session, body: { recipient, password, ...fields } });

async function fixed(owner: Account, recipient: string, fields: object = {}) {
  const { status, body } = await fix(owner, recipient, fields);
  expect(status).toBe(201);
  return body;
}

const checkOf = async ({ key }: Account, verification_id: string, code: string, fields: object = {}) =>
  (await app.rest("POST", "/verify/check", { key, body: { verification_id, code, ...fields } })).body;

const wrong = (code: string) => `${(Number(code[0]) + 1) % 10}${code.slice(1)}`;

let owner: Account;
beforeAll(async () => {
  owner = await account();
});

test("each verification of the recipient has the fixed code, and nothing is sent", async () => {
  const recipient = "reviewer@example.com";
  const made = await fixed(owner, recipient, { description: "review" });
  expect(made).toMatchObject({ recipient, description: "review", created_by: owner.userId });
  expect(made.code).toMatch(/^\d{6}$/);
  expect(Date.parse(made.expires_at) - Date.parse(made.created_at)).toBe(14 * 86_400_000);
  for (const spelling of [recipient, "REVIEWER@example.com"]) {
    const { body } = await start(app, owner.key, spelling);
    expect(body.status).toBe("pending");
    const shown = (await app.rest("GET", `/verify/${body.verification_id}`, { key: owner.key })).body;
    expect(shown).toMatchObject({ status: "pending", fixed_code: true, deliveries: [] });
    expect(await checkOf(owner, body.verification_id, made.code)).toEqual({
      verification_id: body.verification_id,
      status: "approved",
      fixed_code: true,
    });
    expect((await checkOf(owner, body.verification_id, made.code)).status).toBe("expired");
  }
  expect((await app.inbox()).map((message) => message.recipient)).not.toContain(recipient);
});

test("over RPC it is the same", async () => {
  const transport = createGrpcTransport({ baseUrl: app.url });
  const headers = { authorization: `Bearer ${owner.session}` };
  const fixedCodes = createClient(FixedCodeService, transport);
  const made = await fixedCodes.createFixedCode(
    { recipient: "+12125550123", password, codeLength: 4, days: 1 },
    { headers },
  );
  const { code = "", id = "" } = made.fixedCode ?? {};
  expect(code).toMatch(/^\d{4}$/);
  const listed = await fixedCodes.listFixedCodes({}, { headers });
  expect(listed.fixedCodes[0]).toEqual(made.fixedCode);
  // Without a provider for text messages, too: there is nothing to send.
  const { body } = await start(app, owner.key, "+1 (212) 555-0123", { channel: "sms", code_length: 8 });
  expect(body.status).toBe("pending");
  const { verify } = app.grpc({ "x-api-key": owner.key });
  const checked = await verify.checkVerification({ verificationId: body.verification_id, code });
  expect(checked).toMatchObject({ status: CheckStatus.APPROVED, fixedCode: true });
  expect(await fixedCodes.deleteFixedCode({ id }, { headers })).toMatchObject({ id, deleted: true });
});

test("lists, events and reads of verifications show it; others do not have the field", async () => {
  const made = await fixed(owner, "loud@example.com");
  const { body } = await start(app, owner.key, "loud@example.com");
  await checkOf(owner, body.verification_id, made.code);
  const { body: ordinary } = await start(app, owner.key, "ordinary@example.com");
  const { body: list } = await app.rest("GET", "/verifications?page_size=2", { key: owner.key });
  expect(list.verifications.map((one: object) => "fixed_code" in one && one.fixed_code)).toEqual([false, true]);
  expect(await checkOf(owner, ordinary.verification_id, "x")).not.toHaveProperty("fixed_code");
  const events = async (subject: string) =>
    (await app.rest("GET", `/events?subject=${subject}`, { key: owner.key })).body.events;
  await expect
    .poll(async () => (await events(body.verification_id)).map(({ type }: { type: string }) => type))
    .toEqual(["verification.approved", "verification.started"]);
  for (const event of await events(body.verification_id)) {
    expect(event.data.fixed_code).toBe(true);
  }
  const [created] = await events(made.id);
  expect(created).toMatchObject({
    type: "fixed_code.created",
    data: { id: made.id, recipient: "l•••@example.com", code: null, created_by: owner.userId },
  });
});

test("a wrong password makes none, and too many of them are refused", async () => {
  const guesser = await account();
  const answers = [];
  for (let attempt = 0; attempt < 15; attempt++) {
    answers.push(await fix(guesser, "+12125550199", { password: `guess ${attempt}` }));
  }
  const codes = tally(answers.map(({ body }) => body.error.code));
  expect(codes.invalid_password).toBeGreaterThan(0);
  expect(codes.rate_limited).toBeGreaterThan(0);
  expect((await app.rest("GET", "/fixed-codes", { session: guesser.session })).body.fixed_codes).toEqual([]);
});

test("keys, sandbox or live, cannot make, list or delete them", async () => {
  const made = await fixed(owner, "keys@example.com");
  for (const [method, path] of [
    ["POST", "/fixed-codes"],
    ["GET", "/fixed-codes"],
    ["DELETE", `/fixed-codes/${made.id}`],
  ] as const) {
    const answer = await app.rest(method, path, {
      key: owner.key,
      ...(method === "POST" ? { body: { recipient: "k@example.com", password } } : {}),
    });
    expect(answer.status, path).toBe(401);
  }
});

test("a recipient has one, a workspace ten, and each its own code", async () => {
  const full = await account();
  const codes = new Set<string>();
  for (let place = 0; place < 10; place++) {
    codes.add((await fixed(full, `place-${place}@example.com`, { code_length: 10 })).code);
  }
  expect(codes.size).toBe(10);
  expect((await fix(full, "Place-3@example.com")).body.error.code).toBe("already_exists");
  expect((await fix(full, "place-10@example.com")).body.error.code).toBe("limit_reached");
  const { body } = await app.rest("GET", "/fixed-codes", { session: full.session });
  expect(body.fixed_codes.map(({ recipient }: { recipient: string }) => recipient)).toEqual(
    [9, 8, 7, 6, 5, 4, 3, 2, 1, 0].map((place) => `place-${place}@example.com`),
  );
  await app.rest("DELETE", `/fixed-codes/${body.fixed_codes[0].id}`, { session: full.session });
  const parallel = await Promise.all(["a", "b", "c"].map((name) => fix(full, `${name}@example.com`)));
  expect(tally(parallel.map(({ status }) => status))).toEqual({ 201: 1, 409: 2 });
});

test("the request is checked like any other", async () => {
  const { status, body } = await fix(owner, "nobody", { code_length: 3, days: 31, description: "a\u202eb" });
  expect(status).toBe(422);
  expect(Object.keys(body.error.fields).sort()).toEqual(["code_length", "days", "description", "recipient"]);
});

test("ten wrong codes for the recipient, at whichever verification, are all that a day allows", async () => {
  const target = await account();
  const { code } = await fixed(target, "target@example.com");
  const ids: string[] = [];
  for (let count = 0; count < 3; count++) {
    ids.push((await start(app, target.key, "target@example.com")).body.verification_id);
  }
  const [first = "", second = "", third = ""] = ids;
  const outcomes: string[] = [];
  for (const id of [first, second]) {
    for (let attempt = 0; attempt < 5; attempt++) {
      outcomes.push((await checkOf(target, id, wrong(code))).status);
    }
  }
  expect(tally(outcomes)).toEqual({ incorrect: 8, locked: 2 });
  expect((await checkOf(target, third, code)).status).toBe("locked");
  await app.time.advance({ seconds: 600 });
  expect((await start(app, target.key, "target@example.com")).status).toBe(429);
});

test("the right code for another recipient is wrong", async () => {
  const made = await fixed(owner, "named@example.com");
  const { body } = await start(app, owner.key, "named@example.com");
  const other = await checkOf(owner, body.verification_id, made.code, { recipient: "other@example.com" });
  expect(other.status).toBe("incorrect");
  const named = await checkOf(owner, body.verification_id, made.code, { recipient: "named@example.com" });
  expect(named.status).toBe("approved");
});

test("a resend sends nothing", async () => {
  await fixed(owner, "resent@example.com");
  const { body } = await start(app, owner.key, "resent@example.com");
  for (const fields of [{}, { channel: "whatsapp", recipient: "+6591234567" }]) {
    const path = `/verify/${body.verification_id}/resend`;
    const resent = await app.rest("POST", path, { key: owner.key, body: fields });
    expect(resent).toMatchObject({ status: 200, body: { status: "pending", deliveries: [], fixed_code: true } });
  }
});

test("a fallback has nothing to do, and reuse nothing to send again", async () => {
  const made = await fixed(owner, "ways@example.com");
  const fields = { fallback: [{ channel: "whatsapp", recipient: "+6591234567" }], reuse: "pending" };
  for (let count = 0; count < 2; count++) {
    const { body } = await start(app, owner.key, "ways@example.com", fields);
    expect(body).toMatchObject({ status: "pending", reused: false });
    const shown = await app.rest("GET", `/verify/${body.verification_id}`, { key: owner.key });
    expect(shown.body).toMatchObject({ fixed_code: true, fallback: [], deliveries: [] });
    expect((await checkOf(owner, body.verification_id, made.code)).status).toBe("approved");
  }
});

describe("it ends", () => {
  test("once it is deleted: pending verifications are canceled, and the next code is sent", async () => {
    const deleter = await account();
    const made = await fixed(deleter, "deleted@example.com", { description: "Ada Lovelace" });
    const { body } = await start(app, deleter.key, "deleted@example.com");
    const path = `/fixed-codes/${made.id}`;
    const deleted = await app.rest("DELETE", path, { session: deleter.session });
    expect(deleted).toMatchObject({ status: 200, body: { id: made.id, deleted: true } });
    expect((await checkOf(deleter, body.verification_id, made.code)).status).toBe("expired");
    const shown = await app.rest("GET", `/verify/${body.verification_id}`, { key: deleter.key });
    expect(shown.body.status).toBe("canceled");
    await start(app, deleter.key, "deleted@example.com");
    await app.messageTo("deleted@example.com");
    expect((await app.rest("DELETE", path, { session: deleter.session })).body.error.code).toBe("not_found");
    const types = async () => (await app.rest("GET", `/events?subject=${made.id}`, { key: deleter.key })).body.events;
    await expect.poll(async () => (await types()).length).toBe(2);
    expect(await types()).toMatchObject([
      { type: "fixed_code.deleted", data: { recipient: null, description: null } },
      { type: "fixed_code.created", data: { recipient: null, description: null } },
    ]);
  });

  test("for other workspaces there is none", async () => {
    const made = await fixed(owner, "mine@example.com");
    const other = await account();
    expect((await app.rest("DELETE", `/fixed-codes/${made.id}`, { session: other.session })).status).toBe(404);
    expect((await app.rest("GET", "/fixed-codes", { session: other.session })).body.fixed_codes).toEqual([]);
    await start(app, other.key, "mine@example.com");
    await app.messageTo("mine@example.com");
  });

  test("when its recipient is erased", async () => {
    const eraser = await account();
    const made = await fixed(eraser, "erased@example.com");
    const { body } = await start(app, eraser.key, "erased@example.com");
    await app.rest("POST", "/verifications/erase", { key: eraser.key, body: { recipient: "erased@example.com" } });
    expect((await checkOf(eraser, body.verification_id, made.code)).status).toBe("expired");
    expect((await app.rest("GET", "/fixed-codes", { session: eraser.session })).body.fixed_codes).toEqual([]);
  });

  test.each(protocols)("with its note, which is in no event any more (over $name)", async (protocol) => {
    const eraser = await account();
    const recipient = "+12125550177";
    const { id } = await fixed(eraser, recipient, { description: "phone of Ada Lovelace" });
    const call = async (...[name, input]: [Parameters<typeof protocol.call>[1], object]) => {
      const { code, body } = await protocol.call(app, name, { ...input }, { key: eraser.key });
      expect(code).toBe("ok");
      return body;
    };
    const notes = async () =>
      (await call("ListEvents", { subject: id })).events.map(({ type, data }: { type: string; data: object }) => [
        type,
        "description" in data && data.description,
      ]);
    await expect.poll(notes).toEqual([["fixed_code.created", "phone of Ada Lovelace"]]);
    await call("EraseRecipient", { recipient });
    await expect.poll(notes).toEqual([
      ["fixed_code.deleted", null],
      ["fixed_code.created", null],
    ]);
    const stored = "SELECT snapshot FROM event WHERE workspace_id = $1";
    expect(JSON.stringify(await rowsOf(app, stored, [eraser.workspaceId]))).not.toContain("Ada");
  });

  test("after its days, also for a verification that is pending then", async () => {
    const late = await account();
    const made = await fixed(late, "late@example.com", { days: 1 });
    await app.time.advance({ seconds: 86_400 - 60 });
    const signedIn = await app.rest("POST", "/auth/sign-in", { body: { email: late.email, password } });
    const session = String(signedIn.body.access_token);
    const { body } = await start(app, late.key, "late@example.com");
    expect((await app.rest("GET", "/fixed-codes", { session })).body.fixed_codes).toHaveLength(1);
    await app.time.advance({ seconds: 61 });
    expect((await checkOf(late, body.verification_id, made.code)).status).toBe("expired");
    expect((await app.rest("GET", "/fixed-codes", { session })).body.fixed_codes).toEqual([]);
    await start(app, late.key, "late@example.com");
    await app.messageTo("late@example.com");
  });
});

test("the database has neither the code nor the recipient in the clear", async () => {
  const made = await fixed(await account(), "secret-recipient@example.com", { code_length: 10 });
  const rows = await rowsOf(app, "SELECT * FROM fixed_code WHERE id = $1", [made.id]);
  const snapshots = "SELECT snapshot FROM event UNION ALL SELECT snapshot FROM event_pending";
  const events = await rowsOf(app, snapshots);
  const text = JSON.stringify([rows, events], (_, value) => (value?.type === "Buffer" ? "" : value));
  expect(text).not.toContain(made.code);
  expect(text).not.toContain("secret-recipient");
});

test("a fixed code cannot be computed from codes of verifications", () => {
  const [secret] = createKeyring(["a secret of thirty-two bytes or more"]).all;
  if (secret === undefined) {
    throw new Error("no secret");
  }
  const same = Array.from({ length: 1_000 }, (_, index) => `fix_${index}`).filter(
    (id) =>
      deriveFixedCode(secret, { fixedCodeId: id, length: 10 }) ===
      deriveCode(secret, { verificationId: id, mode: "live", length: 10 }),
  );
  expect(same).toEqual([]);
});

test("without the setting there are none: not even those that were made before", async () => {
  const before = await account();
  const made = await fixed(before, "before@example.com");
  const { body } = await start(app, before.key, "before@example.com");
  await using without = await app.startAnother({ allowsFixedCodes: false });
  for (const [method, path, call] of [
    ["GET", "/fixed-codes", {}],
    ["POST", "/fixed-codes", { body: { recipient: "x@example.com", password } }],
    ["DELETE", `/fixed-codes/${made.id}`, {}],
  ] as const) {
    const { status, body: refused } = await without.rest(method, path, { session: before.session, ...call });
    expect({ status, code: refused.error.code }).toEqual({ status: 404, code: "not_found" });
    expect(refused.error.message).toContain("ALLOW_FIXED_CODES");
  }
  const checked = await without.rest("POST", "/verify/check", {
    key: before.key,
    body: { verification_id: body.verification_id, code: made.code },
  });
  expect(checked.body.status).toBe("expired");
  const sent = await without.rest("POST", "/verify/start", {
    key: before.key,
    body: { channel: "email", recipient: "before@example.com" },
  });
  expect(sent.status).toBe(201);
  await without.messageTo("before@example.com");
});

test("right fixed codes do not hide that their source guesses other codes", async () => {
  const caller = await account();
  const device_id = "device of the review";
  for (const recipient of ["review-1@example.com", "review-2@example.com", "review-3@example.com"]) {
    const { code } = await fixed(caller, recipient);
    for (const _ of Array(2)) {
      const { body } = await start(app, caller.key, recipient);
      expect((await checkOf(caller, body.verification_id, code, { device_id })).status).toBe("approved");
    }
  }
  for (let count = 0; count < 10; count += 1) {
    const { body } = await start(app, caller.key, `guessed-${count}@example.com`);
    expect((await checkOf(caller, body.verification_id, "1", { device_id })).status).toBe("incorrect");
  }
  const sql = `SELECT approved FROM guess_source WHERE workspace_id = $1 AND source LIKE 'device:%' AND slowed_until IS NOT NULL`;
  await vi.waitFor(async () => expect(await rowsOf(app, sql, [caller.workspaceId])).toEqual([{ approved: 0 }]), 5_000);
});
