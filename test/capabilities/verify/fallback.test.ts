/** The other ways of a code: when a step is taken, and when it is not. */
import { describe, expect, test } from "vitest";
import { StatementsOfCalls } from "../../support/statements-of-calls.ts";
import { noAccount, useFallbackFixture } from "./fallback-fixture.ts";
import { rowsOf } from "./verify-calls.ts";

const use = useFallbackFixture();

const check = (id: string, code: string | undefined, fields: object = {}) =>
  use.app.rest("POST", "/verify/check", { key: use.key, body: { verification_id: id, code, ...fields } });

describe("the next step is taken", () => {
  test("at once, with the same code, if the message before has failed for good", async () => {
    const recipient = use.phone();
    use.whatsapp.troubles.set(recipient, [noAccount]);
    const { status, body } = await use.start({ recipient, fallback: [{ channel: "sms", after_seconds: 600 }] });
    expect([status, body.status, body.channel, "reused" in body]).toEqual([201, "pending", "whatsapp", false]);
    const view = await use.untilSteps(body.verification_id, ["taken"]);
    expect(view.deliveries).toMatchObject([
      { channel: "whatsapp", status: "failed" },
      { channel: "sms", id: view.fallback[0].delivery_id },
    ]);
    expect(view.fallback).toEqual([
      {
        channel: "sms",
        recipient: view.recipient,
        after_seconds: 600,
        status: "taken",
        reason: null,
        taken_at: expect.any(String),
        delivery_id: expect.stringMatching(/^dlv_[0-9A-Za-z]{22}$/),
      },
    ]);
    await use.untilDelivery(body.verification_id, 1, "sent");
    const [code] = use.textsTo(recipient);
    expect((await check(body.verification_id, code, { recipient })).body.status).toBe("approved");
  });

  test("when a message was not reported as delivered in time, and not before", async () => {
    const recipient = use.phone();
    const { body } = await use.start({ recipient, fallback: [{ channel: "sms", after_seconds: 60 }] });
    const id = body.verification_id;
    await use.untilDelivery(id, 0, "sent");
    await use.app.time.advance({ seconds: 55 });
    await use.untilSteps(id, ["waiting"]);
    await use.app.time.advance({ seconds: 6 });
    await use.untilSteps(id, ["taken"]);
    await use.untilDelivery(id, 1, "sent");
    expect(use.textsTo(recipient)).toEqual(use.chatsTo(recipient));
  });

  test("at once if WhatsApp reports later that the recipient has no account, and the next start goes straight to it", async () => {
    const recipient = use.phone();
    const fallback = [{ channel: "sms", after_seconds: 600 }];
    const { body } = await use.start({ recipient, fallback });
    await use.report(recipient, "failed", 131026);
    await use.untilSteps(body.verification_id, ["taken"]);
    await use.untilDelivery(body.verification_id, 1, "sent");
    expect(use.textsTo(recipient)).toEqual(use.chatsTo(recipient));
    const { body: next } = await use.start({ recipient, fallback });
    await use.untilDelivery(next.verification_id, 0, "sent");
    expect(use.textsTo(recipient)).toHaveLength(2);
    expect(use.chatsTo(recipient)).toHaveLength(1);
  });

  test("when a message still waits for a slow provider, which sends it all the same", async () => {
    const recipient = use.phone();
    use.whatsapp.troubles.set(recipient, ["silence"]);
    const { body } = await use.start({ recipient, fallback: [{ channel: "sms", after_seconds: 5 }] });
    await use.app.time.advance({ seconds: 6 });
    const { deliveries } = await use.untilSteps(body.verification_id, ["taken"]);
    expect(deliveries[0].status).toBe("queued");
  });

  test("one after the other, each after its own time, and the last one is the last", async () => {
    const recipient = use.phone();
    const email = `${recipient.slice(1)}@example.com`;
    const fallback = [
      { channel: "email", recipient: email, after_seconds: 20 },
      { channel: "sms", after_seconds: 20 },
    ];
    use.whatsapp.troubles.set(recipient, [noAccount]);
    const { body } = await use.start({ recipient, fallback });
    // Mail is final once the mail server has it, so the text message is not needed.
    const view = await use.untilSteps(body.verification_id, ["taken", "skipped: delivered"]);
    expect(view.fallback[0].recipient).toBe(`${email[0]}•••@example.com`);
    expect(view.deliveries.map(({ channel }: { channel: string }) => channel)).toEqual(["whatsapp", "email"]);
  });
});

describe("no step is taken", () => {
  test.each(["delivered", "read"])("once a message was reported as %s", async (state) => {
    const recipient = use.phone();
    const { body } = await use.start({ recipient, fallback: [{ channel: "sms", after_seconds: 5 }] });
    await use.report(recipient, state);
    const view = await use.untilSteps(body.verification_id, ["skipped: delivered"]);
    expect(view.deliveries).toHaveLength(1);
    // Nothing that is reported later brings it back.
    await use.report(recipient, "failed");
    await use.untilSteps(body.verification_id, ["skipped: delivered"]);
  });

  test("after a message whose provider reports no delivery", async () => {
    const { body } = await use.start({ channel: "sms", recipient: use.phone(), fallback: [{ channel: "whatsapp" }] });
    await use.untilSteps(body.verification_id, ["skipped: delivered"]);
  });

  test.each([
    ["approved", async (id: string, recipient: string) => check(id, use.chatsTo(recipient)[0])],
    ["canceled", async (id: string) => use.app.rest("POST", `/verify/${id}/cancel`, { key: use.key })],
    [
      "canceled",
      async (_: string, recipient: string) =>
        use.app.rest("POST", "/verifications/erase", { key: use.key, body: { recipient } }),
    ],
  ])("once the verification is %s", async (status, end) => {
    const recipient = use.phone();
    const { body } = await use.start({
      recipient,
      fallback: [{ channel: "sms" }, { channel: "email", recipient: "x@example.com" }],
    });
    const id = body.verification_id;
    await use.untilDelivery(id, 0, "sent");
    expect((await end(id, recipient)).status).toBe(200);
    expect((await use.untilSteps(id, ["skipped: ended", "skipped: ended"])).status).toBe(status);
    const rows = await rowsOf(use.app, "SELECT FROM outbox WHERE subject_id = $1 AND finished_at IS NULL", [id]);
    expect(rows).toEqual([]);
  });

  test("once the code has expired, even if its step would be due then", async () => {
    const recipient = use.phone();
    const { body } = await use.start({ recipient, ttl_seconds: 30, fallback: [{ channel: "sms", after_seconds: 31 }] });
    await use.untilDelivery(body.verification_id, 0, "sent");
    await use.app.time.advance({ seconds: 40 });
    await use.untilSteps(body.verification_id, ["skipped: ended"]);
    expect(use.textsTo(recipient)).toEqual([]);
  });
});

describe("a step is refused, and the following one comes at once,", () => {
  test("without a provider", async () => {
    const recipient = use.phone();
    use.whatsapp.troubles.set(recipient, [noAccount]);
    const fallback = [
      { channel: "voice", after_seconds: 600 },
      { channel: "sms", after_seconds: 600 },
    ];
    const { body } = await use.start({ recipient, fallback });
    await use.untilSteps(body.verification_id, ["refused: channel_unavailable", "taken"]);
  });

  test("to a recipient that the channel cannot reach", async () => {
    const recipient = use.phone();
    const email = `reach-${recipient.slice(1)}@example.com`;
    await use.suppress(recipient);
    use.sms.answer = { status: 422 };
    const fallback = [
      { channel: "whatsapp", after_seconds: 600 },
      { channel: "email", recipient: email, after_seconds: 600 },
    ];
    const { body } = await use.start({ channel: "sms", recipient, fallback });
    await use.untilSteps(body.verification_id, ["refused: undeliverable", "taken"]);
    use.sms.answer = { status: 200 };
  });

  test("if the code was sent as often as it may be", async () => {
    const recipient = use.phone();
    const { body } = await use.start({
      recipient,
      fallback: [{ channel: "sms", after_seconds: 600 }],
      ttl_seconds: 3600,
    });
    const id = body.verification_id;
    for (let sends = 1; sends < 5; sends += 1) {
      await use.app.time.advance({ seconds: 61 });
      expect((await use.app.rest("POST", `/verify/${id}/resend`, { key: use.key, body: {} })).status).toBe(200);
    }
    await use.app.time.advance({ seconds: 600 });
    await use.untilSteps(id, ["refused: send_limit_reached"]);
  });

  test("if a limit allows it only after the code has expired, and waits for one that comes before", async () => {
    const recipient = use.phone();
    const sends = () => use.start({ recipient, fallback: [] });
    await sends();
    await sends();
    const long = await use.start({ recipient, ttl_seconds: 600, fallback: [{ channel: "sms", after_seconds: 5 }] });
    await use.app.time.advance({ seconds: 6 });
    await use.untilAttempts(long.body.verification_id, 1);
    await use.untilSteps(long.body.verification_id, ["waiting"]);
    await use.app.time.advance({ seconds: 60 });
    await use.untilSteps(long.body.verification_id, ["taken"]);
    await use.app.time.advance({ seconds: 60 });
    const short = await use.start({ recipient, ttl_seconds: 30, fallback: [{ channel: "sms", after_seconds: 5 }] });
    await use.app.time.advance({ seconds: 6 });
    await use.untilSteps(short.body.verification_id, ["refused: rate_limited"]);
  });
});

describe("a start whose channel cannot be used", () => {
  test("goes over the first step that can, by one statement", async () => {
    const recipient = use.phone();
    const { body } = await use.start({
      channel: "voice",
      recipient,
      fallback: [{ channel: "sms" }, { channel: "whatsapp" }],
    });
    expect([body.status, body.channel]).toEqual(["pending", "voice"]);
    const view = await use.untilSteps(body.verification_id, ["taken", "skipped: delivered"]);
    expect(view.deliveries).toMatchObject([{ channel: "sms", id: view.fallback[0].delivery_id }]);
    expect((await check(body.verification_id, use.textsTo(recipient)[0], { recipient })).body.status).toBe("approved");
  });

  test("because the recipient was not reachable before goes over the next step", async () => {
    const recipient = use.phone();
    await use.suppress(recipient);
    expect((await use.start({ recipient, fallback: [] })).body.error.code).toBe("undeliverable");
    const { body } = await use.start({ recipient });
    await use.untilSteps(body.verification_id, ["taken"]);
    expect(use.chatsTo(recipient)).toEqual([]);
  });

  test("nor any step is unavailable", async () => {
    const { body } = await use.start({ channel: "voice", recipient: use.phone(), fallback: [] });
    expect(body.status).toBe("channel_unavailable");
  });
});

test("a start with a fallback is one statement, and one without does not have its parts", async () => {
  using statements = new StatementsOfCalls();
  const statementsOf = async (fields: object) => {
    statements.clear();
    const { status } = await use.start({ recipient: use.phone(), ...fields });
    expect(status).toBe(201);
    // On a machine so busy that the server's lease ran out, keys are read anew.
    return statements.read().filter(({ name }) => name !== "read_api_key");
  };
  await statementsOf({});
  const withFallback = await statementsOf({});
  const without = await statementsOf({ fallback: [] });
  expect(withFallback.map(({ name }) => name)).toEqual([expect.stringMatching(/^start_verification/)]);
  expect(without.map(({ name }) => name)).toEqual([expect.stringMatching(/^start_verification/)]);
  expect(withFallback[0]?.text).toContain("steps_queued");
  expect(without[0]?.text).not.toMatch(/fallback|steps_queued|second_recipient|reuse/);
});

test("two servers that take a step at the same moment send one message", async () => {
  const recipient = use.phone();
  await using other = await use.app.startAnother();
  const { body } = await use.start({ recipient, fallback: [{ channel: "sms", after_seconds: 30 }] });
  const id = body.verification_id;
  await use.untilDelivery(id, 0, "sent");
  await rowsOf(use.app, "UPDATE outbox SET available_at = byond_now() + interval '40 seconds' WHERE id = $1", [
    `${id}/1`,
  ]);
  await use.app.time.advance({ seconds: 41 });
  await use.untilSteps(id, ["taken"]);
  // It is sent before the clock moves on: past the end of its claim, the other server would rightly send it again.
  await use.untilDelivery(id, 1, "sent");
  // Both have looked for due steps by now, more than once.
  await use.app.time.advance({ seconds: 11 });
  const messages = await rowsOf(other, "SELECT id FROM outbox WHERE subject_id = $1 AND lane = 'sms'", [id]);
  expect([messages.length, use.textsTo(recipient).length]).toEqual([1, 1]);
});

describe("a recipient of the other form", () => {
  const fallback = (email: string) => [{ channel: "email", recipient: email, after_seconds: 60 }];

  test("is no recipient for a check until a step was sent to it, and is found by lists before", async () => {
    const recipient = use.phone();
    const email = `other-${recipient.slice(1)}@example.com`;
    const { body } = await use.start({ recipient, fallback: fallback(email) });
    const id = body.verification_id;
    await use.untilDelivery(id, 0, "sent");
    const [code] = use.chatsTo(recipient);
    expect((await check(id, code, { recipient: email })).body.status).toBe("incorrect");
    const list = await use.app.rest("GET", `/verifications?recipient=${encodeURIComponent(email)}`, { key: use.key });
    expect(list.body.verifications.map((found: { verification_id: string }) => found.verification_id)).toEqual([id]);
    await use.report(recipient, "failed");
    await use.untilSteps(id, ["taken"]);
    expect((await use.app.messageTo(email)).text).toContain(code);
    expect((await check(id, code, { recipient: email })).body.status).toBe("approved");
  });

  test("is the only one for a check if nothing was sent to the recipient of the start", async () => {
    const recipient = use.phone();
    const email = `only-${recipient.slice(1)}@example.com`;
    const { body } = await use.start({ channel: "voice", recipient, fallback: fallback(email) });
    const code = /\d{6}/.exec((await use.app.messageTo(email)).text)?.[0];
    expect((await check(body.verification_id, code, { recipient })).body.status).toBe("incorrect");
    expect((await check(body.verification_id, code, { recipient: email })).body.status).toBe("approved");
  });

  test("counts wrong codes only once it was sent to", async () => {
    const recipient = use.phone();
    const email = `guess-${recipient.slice(1)}@example.com`;
    const { body } = await use.start({ recipient, fallback: fallback(email) });
    const budgets = async () =>
      (
        await rowsOf(use.app, "SELECT cardinality(limit_indexes) AS count FROM verification WHERE id = $1", [
          body.verification_id,
        ])
      )[0]?.count;
    expect(await budgets()).toBe(1);
    await use.report(recipient, "failed");
    await use.untilSteps(body.verification_id, ["taken"]);
    expect(await budgets()).toBe(2);
  });

  test("is erased with the recipient of the start, by either", async () => {
    const recipient = use.phone();
    const email = `erased-${recipient.slice(1)}@example.com`;
    const { body } = await use.start({ recipient, fallback: fallback(email) });
    const erased = await use.app.rest("POST", "/verifications/erase", { key: use.key, body: { recipient: email } });
    expect(erased.body.erased).toBe(1);
    const view = await use.untilSteps(body.verification_id, ["skipped: ended"]);
    expect([view.recipient, view.fallback[0].recipient]).toEqual([null, null]);
  });
});
