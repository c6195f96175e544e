/** Codes that approve a payment (Delegated Regulation (EU) 2018/389, article 5: dynamic linking). */
import { Code, ConnectError } from "@connectrpc/connect";
import { beforeAll, describe, expect, test } from "vitest";
import { Channel, CheckVerificationResponse_Status as Status } from "../../../gen/byond/v1/verify_pb.ts";
import { password, useTestApp } from "../../support/app.ts";
import { messagesTo, rowsOf, start } from "./verify-calls.ts";

const app = useTestApp({ allowsFixedCodes: true });
let key: string;
let sandboxKey: string;
beforeAll(async () => {
  key = await app.mintKey();
  sandboxKey = await app.mintKey({ mode: "test" });
});

const payment = { payee: "Ada's Books", amount: { value: "249.90", currency: "EUR" } };
type Fields = Readonly<Record<string, unknown>>;

let recipients = 0;
const newRecipient = () => `payer-${++recipients}@example.com`;

/** Starts a verification of a payment, and reads its code. */
async function startAndRead(fields: Fields = payment, recipient = newRecipient()) {
  const { status, body } = await start(app, key, recipient, { code_length: 8, ...fields });
  expect([status, body]).toMatchObject([201, { status: "pending" }]);
  const [message] = await messagesTo(app, recipient, 1);
  const code = /(?<!\d)\d{8}(?!\d)/.exec(message?.text ?? "")?.[0] ?? expect.fail(`no code in ${message?.text}`);
  return { id: String(body.verification_id), code, recipient, message };
}

const checkWith = async ({ id, code }: { id: string; code: string }, fields: Fields, caller = key) => {
  const answer = await app.rest("POST", "/verify/check", {
    key: caller,
    body: { verification_id: id, code, ...fields },
  });
  expect(answer.status, JSON.stringify(answer.body)).toBe(200);
  return answer.body.status;
};

const get = async (id: string) => (await app.rest("GET", `/verify/${id}`, { key })).body;

/** What a check may have instead of the payment that the person has read. */
const others: readonly (readonly [string, Fields])[] = [
  ["another payee", { ...payment, payee: "Eve's Books" }],
  ["a payee in other letters", { ...payment, payee: "ada's books" }],
  ["another amount", { ...payment, amount: { value: "2499.00", currency: "EUR" } }],
  ["another currency", { ...payment, amount: { value: "249.90", currency: "USD" } }],
  ["no payee", { amount: payment.amount }],
  ["no amount", { payee: payment.payee }],
  ["neither", {}],
];

describe("the right code approves only the payment that its message shows", () => {
  test.each(others)("and not one with %s", async (_, other) => {
    const started = await startAndRead();
    expect(await checkWith(started, other)).toBe("incorrect");
    expect((await get(started.id)).attempts_left).toBe(4);
    expect(await checkWith(started, payment)).toBe("approved");
    expect(await checkWith(started, payment)).toBe("expired");
  });

  test("and five others lock it", async () => {
    const started = await startAndRead();
    for (const [, other] of others.slice(0, 4)) {
      expect(await checkWith(started, other)).toBe("incorrect");
    }
    expect(await checkWith(started, {})).toBe("locked");
    expect(await checkWith(started, payment)).toBe("locked");
  });

  test("and a code that approves none does not approve one", async () => {
    const started = await startAndRead({});
    for (const [, other] of [["the payment", payment] as const, ...others.slice(4, 6)]) {
      expect(await checkWith(started, other)).toBe("incorrect");
    }
    expect(await checkWith(started, {})).toBe("approved");
  });

  test("in whatever spelling of the amount and of the payee's accents", async () => {
    const amount = { value: "10.5", currency: "EUR" };
    const started = await startAndRead({ payee: " Cafe\u0301  Noir ", amount });
    expect(await get(started.id)).toMatchObject({ payee: "Café Noir", amount: { value: "10.50", currency: "EUR" } });
    expect(await checkWith(started, { payee: "Café Noir", amount: { ...amount, value: "10.50" } })).toBe("approved");
  });

  test("over gRPC", async () => {
    const { verify } = app.grpc({ "x-api-key": key });
    const recipient = newRecipient();
    const started = await verify.startVerification({ channel: Channel.EMAIL, recipient, codeLength: 8, ...payment });
    const [message] = await messagesTo(app, recipient, 1);
    const code = /(?<!\d)\d{8}(?!\d)/.exec(message?.text ?? "")?.[0] ?? "";
    const check = { verificationId: started.verificationId, code };
    for (const other of [{ ...payment, payee: "Eve" }, { payee: payment.payee }, {}]) {
      expect((await verify.checkVerification({ ...check, ...other })).status).toBe(Status.INCORRECT);
    }
    expect((await verify.checkVerification({ ...check, ...payment })).status).toBe(Status.APPROVED);
    const { verification } = await verify.getVerification({ verificationId: started.verificationId });
    expect(verification).toMatchObject(payment);
    const refused = verify.startVerification({ channel: Channel.EMAIL, recipient, payee: "Ada" });
    expect((await refused.catch(ConnectError.from)) as ConnectError).toMatchObject({ code: Code.InvalidArgument });
  });

  test("in the sandbox, whose codes are zeros", async () => {
    const { body } = await start(app, sandboxKey, "payer@example.com", payment);
    const started = { id: body.verification_id, code: "000000" };
    for (const [, other] of others.slice(2, 6)) {
      expect(await checkWith(started, other, sandboxKey)).toBe("incorrect");
    }
    expect(await checkWith(started, payment, sandboxKey)).toBe("approved");
  });
});

test("a fixed code approves the payment of its verification alone", async () => {
  const { session } = await app.signUp();
  const owner = String((await app.rest("POST", "/api-keys", { session, body: { name: "live" } })).body.key);
  const recipient = newRecipient();
  const { body } = await app.rest("POST", "/fixed-codes", { session, body: { recipient, password } });
  const started = await start(app, owner, recipient, payment);
  const fixed = { id: started.body.verification_id, code: body.code };
  for (const [, other] of others.slice(2, 6)) {
    expect(await checkWith(fixed, other, owner)).toBe("incorrect");
  }
  expect(await checkWith(fixed, payment, owner)).toBe("approved");
});

test("two payments to one recipient have different codes, and so do a payment and none", async () => {
  const recipient = newRecipient();
  for (const fields of [payment, {}, { ...payment, amount: { value: "249.91", currency: "EUR" } }]) {
    await start(app, key, recipient, { code_length: 10, ...fields });
  }
  expect(new Set((await messagesTo(app, recipient, 3)).map(({ text }) => /\d{10}/.exec(text)?.[0])).size).toBe(3);
});

describe("a start that uses a pending verification", () => {
  const reuse = (recipient: string, fields: Fields) => start(app, key, recipient, { reuse: "pending", ...fields });

  test("uses one of the same payment alone", async () => {
    const recipient = newRecipient();
    const first = await reuse(recipient, payment);
    const spelled = { ...payment, amount: { value: "249.9", currency: "EUR" } };
    const again = await reuse(recipient, spelled);
    expect(again.body).toMatchObject({ reused: true, verification_id: first.body.verification_id });
    expect((await reuse(recipient, { ...payment, payee: "Eve" })).body.reused).toBe(false);
    await app.time.advance({ seconds: 61 });
    expect((await reuse(recipient, {})).body.reused).toBe(false);
    await app.time.advance({ seconds: 61 });
    expect((await reuse(recipient, payment)).body.verification_id).toBe(first.body.verification_id);
    const codes = (await messagesTo(app, recipient, 5)).map(({ text }) => /(?<!\d)\d{6}(?!\d)/.exec(text)?.[0]);
    expect(new Set(codes).size).toBe(3);
  });
});

test("it is in the verification and in its events, stored sealed, and erased with the recipient", async () => {
  const { id, recipient } = await startAndRead();
  const listed = await app.rest("GET", `/verifications?recipient=${encodeURIComponent(recipient)}`, { key });
  expect([await get(id), listed.body.verifications[0]]).toMatchObject([payment, payment]);
  const events = async () => (await app.rest("GET", `/events?subject=${id}`, { key })).body.events;
  const delivered = [{ type: "verification.delivered", data: payment }];
  await expect.poll(events).toMatchObject([...delivered, { type: "verification.started", data: payment }]);
  const stored = () => rowsOf(app, "SELECT *, encode(approval_sealed, 'escape') FROM verification WHERE id = $1", [id]);
  expect(JSON.stringify(await stored())).not.toMatch(/Ada's Books|249\.90|"EUR"/);
  await app.rest("POST", "/verifications/erase", { key, body: { recipient } });
  expect(await stored()).toMatchObject([{ approval_sealed: null, approval_index: null }]);
  await expect.poll(async () => (await events()).length).toBe(3);
  for (const seen of [await get(id), ...(await events()).map(({ data }: { data: Fields }) => data)]) {
    expect(seen).not.toHaveProperty("payee");
    expect(seen).not.toHaveProperty("amount");
  }
  const none = await startAndRead({});
  expect(await get(none.id)).not.toHaveProperty("payee");
});

describe("a payment that cannot be shown or compared is refused", () => {
  const amount = (value: string, currency = "EUR") => ({ ...payment, amount: { value, currency } });
  const point = "must be a decimal number, such as 249.90";
  const currency = "must be a currency code of ISO 4217, such as EUR";
  const problems: readonly (readonly [Fields, Readonly<Record<string, string>>])[] = [
    [{ payee: "  \u2800", amount: payment.amount }, { payee: "must not be blank" }],
    [{ payee: "pay.example.com/now", amount: payment.amount }, { payee: "must not contain a web address" }],
    [{ payee: "Ada\nEve", amount: payment.amount }, { payee: "must not contain control characters" }],
    [{ payee: "Ada\u202eEve", amount: payment.amount }, { payee: "must not contain control characters" }],
    [{ payee: "x".repeat(71), amount: payment.amount }, { payee: "must be 1 to 70 characters long" }],
    [amount("10.999"), { "amount.value": "must have at most 2 digits after the point" }],
    [amount("1000.0", "JPY"), { "amount.value": "must be without a point in JPY" }],
    [amount("0.00"), { "amount.value": "must be more than 0" }],
    ...["-1", "1e3", "1,000", "01", ".5", "1.", "1234567890123", " 1", "١٢"].map(
      (value) => [amount(value), { "amount.value": point }] as const,
    ),
    [amount("1", "eur"), { "amount.currency": currency }],
    [amount("1", "EURO"), { "amount.currency": "must be at most 3 characters" }],
    [amount("1", "DEM"), { "amount.currency": currency }],
    [amount("1", "XXX"), { "amount.currency": currency }],
  ];

  test.each(problems)("%j", async (fields, expected) => {
    const started = await start(app, key, "refused@example.com", fields);
    expect([started.status, started.body.error?.fields]).toEqual([422, expected]);
    const check = { verification_id: "vrf_0000000000000000000000", code: "000000", ...fields };
    const checked = await app.rest("POST", "/verify/check", { key, body: check });
    expect([checked.status, checked.body.error?.fields]).toEqual([422, expected]);
  });

  test.each([
    [{ payee: "Ada" }, { amount: "is required with a payee" }],
    [{ amount: payment.amount }, { payee: "is required with an amount" }],
    [{ ...payment, code_in_subject: true }, { code_in_subject: "must not be true with a payee and an amount" }],
    [
      { ...payment, channel: "whatsapp", recipient: "+6591234567" },
      { channel: "must not be whatsapp, whose messages cannot show a payee and an amount" },
    ],
    [
      { ...payment, fallback: [{ channel: "whatsapp", recipient: "+6591234567" }] },
      { "fallback[0].channel": "must not be whatsapp, whose messages cannot show a payee and an amount" },
    ],
  ])("by a start with %j", async (fields, expected) => {
    const { status, body } = await start(app, key, "refused@example.com", fields);
    expect([status, body.error?.fields]).toEqual([422, expected]);
  });

  test("and by a resend over WhatsApp", async () => {
    const { id } = await startAndRead();
    const body = { channel: "whatsapp", recipient: "+6591234567" };
    expect(await app.rest("POST", `/verify/${id}/resend`, { key, body })).toMatchObject({
      status: 422,
      body: { error: { fields: { channel: expect.stringMatching(/^must not be whatsapp/) } } },
    });
  });
});
