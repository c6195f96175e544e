/** What the person reads before approving a payment, on every channel and each time that the code is sent. */
import { describe, expect, test, vi } from "vitest";
import { providerText } from "../../../src/capabilities/channels/provider-text.ts";
import { countSegments } from "../../../src/capabilities/channels/sms-text/segments.ts";
import { renderMail } from "../../../src/capabilities/channels/texts/mails.ts";
import { useFallbackFixture } from "./fallback-fixture.ts";
import { messagesTo } from "./verify-calls.ts";

const use = useFallbackFixture();
const payment = { payee: "Ada's Books", amount: { value: "1249.90", currency: "EUR" } };

/** What the adapter for text messages got for a number. */
const textsTo = (phone: string) =>
  use.sms.requests.map(({ body }) => JSON.parse(body)).filter(({ recipient }) => recipient === phone);

const startPayment = async (fields: object) => {
  const { status, body } = await use.start({ fallback: [], code_length: 8, ...payment, ...fields });
  expect([status, body.status]).toEqual([201, "pending"]);
  return String(body.verification_id);
};

const approve = async (id: string, code: string) => {
  const check = { verification_id: id, code };
  const statuses = [];
  for (const fields of [{ ...payment, payee: "Eve" }, payment]) {
    const { body } = await use.app.rest("POST", "/verify/check", { key: use.key, body: { ...check, ...fields } });
    statuses.push(body.status);
  }
  return statuses;
};

test("a resend, over another channel too, shows the same payment with the same code", async () => {
  const phone = use.phone();
  const recipient = `resent-${phone.slice(1)}@example.com`;
  const id = await startPayment({ channel: "email", recipient });
  const resend = { channel: "sms", recipient: phone };
  expect((await use.app.rest("POST", `/verify/${id}/resend`, { key: use.key, body: resend })).status).toBe(200);
  const [mail] = await messagesTo(use.app, recipient, 1);
  await use.untilDelivery(id, 1, "sent");
  const [text] = textsTo(phone);
  expect(text).toMatchObject({ ...payment, text: expect.stringContaining("EUR 1,249.90 to Ada's Books") });
  expect(mail?.text).toContain("€1,249.90 to Ada's Books");
  expect(mail?.text).toContain(text.code);
  expect(mail?.subject).not.toMatch(/Books|249/);
  expect(await approve(id, text.code)).toEqual(["incorrect", "approved"]);
});

test("a step of the fallback shows the same payment with the same code", async () => {
  const phone = use.phone();
  const recipient = `stepped-${phone.slice(1)}@example.com`;
  const id = await startPayment({
    channel: "sms",
    recipient: phone,
    fallback: [{ channel: "email", recipient, after_seconds: 5 }],
  });
  const id2 = await startPayment({ channel: "voice", recipient: phone, fallback: [{ channel: "sms" }] });
  await vi.waitFor(() => expect(textsTo(phone)).toHaveLength(2), { timeout: 20_000 });
  for (const [started, { code, text }] of [
    [id, textsTo(phone)[0]],
    [id2, textsTo(phone)[1]],
  ] as const) {
    expect(text).toContain("EUR 1,249.90 to Ada's Books");
    expect(await approve(started, code)).toEqual(["incorrect", "approved"]);
  }
});

test("a step that is taken later reads the payment from the verification", async () => {
  const phone = use.phone();
  const recipient = `later-${phone.slice(1)}@example.com`;
  use.sms.answer = { status: 400 };
  const id = await startPayment({
    channel: "sms",
    recipient: phone,
    fallback: [{ channel: "email", recipient, after_seconds: 600 }],
  });
  await use.untilSteps(id, ["taken"]);
  use.sms.answer = { status: 200 };
  const [mail] = await messagesTo(use.app, recipient, 1);
  expect(mail?.text).toContain("€1,249.90 to Ada's Books");
  expect(await approve(id, /\d{8}/.exec(mail?.text ?? "")?.[0] ?? "")).toEqual(["incorrect", "approved"]);
});

describe("in English, the payment is worded", () => {
  const now = new Date("2026-03-01T12:00:00Z");
  const message = {
    workspaceId: "ws_1",
    recipient: "+6591234567",
    code: "493817",
    brand: "Acme Bank",
    createdAt: now,
    expiresAt: new Date("2026-03-01T12:05:00Z"),
    approval: payment,
    mode: "live",
  } as const;

  test("in a text message of one part, with the currency's code", () => {
    const text = providerText({ ...message, channel: "sms" }, now);
    expect(text).toMatch(/^493817 is your Acme Bank code to pay EUR 1,249\.90 to Ada's Books /);
    expect(countSegments(text)).toBe(1);
  });

  test("in a call, with the currency's name", () => {
    expect(providerText({ ...message, channel: "voice" }, now)).toContain("to pay 1,249.90 euros to Ada's Books");
  });

  test("in a mail, escaped, and not in its subject", () => {
    const mail = renderMail({ ...message, channel: "email", approval: { ...payment, payee: "A <b> & Co" } }, now);
    expect(mail.html).toContain("€1,249.90 to A &lt;b&gt; &amp; Co");
    expect(mail.text).toContain("€1,249.90 to A <b> & Co");
    expect(mail.subject).toBe("Your Acme Bank code to approve a payment");
  });
});
