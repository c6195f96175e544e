import { createHmac } from "node:crypto";
import { describe, expect, test } from "vitest";
import { whatsappMessageId } from "../../../src/capabilities/channels/whatsapp/whatsapp-outcome.ts";
import {
  handleWhatsappWebhook,
  type WebhookRequest,
} from "../../../src/capabilities/channels/whatsapp/whatsapp-webhook.ts";
import { ReportCounter } from "../../../src/outbox/report-counter.ts";
import { useOutbox } from "../../outbox/outbox-fixture.ts";

const use = useOutbox();
const appSecret = "the app's secret";
const verifyToken = "the word at Meta";

function handle({
  body = Buffer.alloc(0),
  ...request
}: Partial<Omit<WebhookRequest, "body">> & { readonly body?: Buffer }) {
  const deps = {
    database: use.outbox.database,
    logger: use.outbox.log.logger,
    events: { committed: () => undefined },
    reports: new ReportCounter(),
    now: () => use.outbox.clock.now(),
    appSecret,
    verifyToken,
  };
  const empty = { method: "POST", query: new URLSearchParams(), signature: undefined };
  return handleWhatsappWebhook(deps, { ...empty, ...request, body: async () => body });
}

interface Status {
  readonly id: string;
  readonly status: string;
  readonly timestamp?: string;
  readonly errors?: readonly unknown[];
  readonly biz_opaque_callback_data?: string;
}

/** A report as Meta sends it, with the right signature. */
function report(...statuses: readonly Status[]) {
  const timestamp = String(Math.floor(use.outbox.clock.now().getTime() / 1_000));
  const value = {
    messaging_product: "whatsapp",
    metadata: { display_phone_number: "15550783881", phone_number_id: "106540352242922" },
    statuses: statuses.map((status) => ({
      timestamp,
      recipient_id: "6591234567",
      biz_opaque_callback_data: "byond",
      ...status,
    })),
  };
  const entry = [{ id: "102290129340398", changes: [{ value, field: "messages" }] }];
  const body = Buffer.from(JSON.stringify({ object: "whatsapp_business_account", entry }));
  return handle({ body, signature: sign(body) });
}

function sign(body: Buffer, secret = appSecret): string {
  return `sha256=${createHmac("sha256", secret).update(body).digest("hex")}`;
}

/** A message that WhatsApp took. */
async function sentMessage(id: string) {
  const providerMessageId = whatsappMessageId(id) ?? "";
  const worker = use.outbox.server("a", async () => ({ kind: "sent", providerMessageId }), { lanes: { whatsapp: 1 } });
  const item = await use.outbox.write("a", { lane: "whatsapp" });
  worker.dispatch(item);
  await worker.idle();
  return {
    async state() {
      const [attempt] = await use.outbox.attempts(item);
      return attempt;
    },
  };
}

describe("a subscription", () => {
  const query = (mode: string, token: string, challenge = "1158201444") =>
    new URLSearchParams({ "hub.mode": mode, "hub.verify_token": token, "hub.challenge": challenge });

  test("with the right verify token is answered with the challenge", async () => {
    expect(await handle({ method: "GET", query: query("subscribe", verifyToken) })).toMatchObject({
      status: 200,
      headers: { "Content-Type": "text/plain; charset=utf-8" },
      body: "1158201444",
    });
  });

  test.each([
    ["with another word", query("subscribe", "guess")],
    ["without a word", query("subscribe", "")],
    ["with another mode", query("unsubscribe", verifyToken)],
    ["with markup as a challenge", query("subscribe", verifyToken, "<script>")],
    ["without anything", new URLSearchParams()],
  ])("is refused %s", async (_name, refused) => {
    expect(await handle({ method: "GET", query: refused })).toMatchObject({ status: 403, body: "" });
  });
});

describe("a report", () => {
  test("moves an attempt from sent to delivered to read", async () => {
    const message = await sentMessage("wamid.1");
    expect(await report({ id: "wamid.1", status: "sent" })).toMatchObject({ status: 200 });
    expect(await message.state()).toMatchObject({ state: "sent", delivered_at: null });
    await report({ id: "wamid.1", status: "delivered", timestamp: "1772366401" });
    expect(await message.state()).toMatchObject({
      state: "delivered",
      delivered_at: new Date("2026-03-01T12:00:01Z"),
      read_at: null,
    });
    await report({ id: "wamid.1", status: "read", timestamp: "1772366402" });
    expect(await message.state()).toMatchObject({
      state: "read",
      delivered_at: new Date("2026-03-01T12:00:01Z"),
      read_at: new Date("2026-03-01T12:00:02Z"),
    });
  });

  test("of a failure is stored with a reason in our words", async () => {
    const message = await sentMessage("wamid.2");
    await report({
      id: "wamid.2",
      status: "failed",
      errors: [{ code: 131026, title: "Message undeliverable to 6591234567" }],
    });
    expect(await message.state()).toMatchObject({
      state: "failed",
      error: "the recipient cannot receive WhatsApp messages (code 131026)",
      undeliverable: true,
    });
  });

  test("never moves a state backwards, in any order and however often it is repeated", async () => {
    const message = await sentMessage("wamid.3");
    await report({ id: "wamid.3", status: "failed", errors: [{ code: 131000 }] });
    await report({ id: "wamid.3", status: "read" }, { id: "wamid.3", status: "sent" });
    await report({ id: "wamid.3", status: "delivered" });
    await report({ id: "wamid.3", status: "failed", errors: [{ code: 131000 }] });
    expect(await message.state()).toMatchObject({ state: "read", delivered_at: expect.any(Date) });
  });

  test("can be about several messages", async () => {
    const messages = [await sentMessage("wamid.4"), await sentMessage("wamid.5")];
    await report({ id: "wamid.4", status: "delivered" }, { id: "wamid.5", status: "failed" });
    expect((await messages[0]?.state())?.state).toBe("delivered");
    expect(await messages[1]?.state()).toMatchObject({
      state: "failed",
      error: "WhatsApp could not deliver the message",
    });
  });

  test("that arrives before its message is recorded is answered 503, for a minute", async () => {
    expect(await report({ id: "wamid.6", status: "failed" })).toMatchObject({ status: 503 });
    const at = String(use.outbox.clock.now().getTime() / 1_000 - 60);
    expect(await report({ id: "wamid.6", status: "failed", timestamp: at })).toMatchObject({ status: 200 });
  });

  test("of another program's message is acknowledged and ignored", async () => {
    const foreign = { id: "wamid.7", status: "failed", biz_opaque_callback_data: "crm" };
    expect(await report(foreign)).toMatchObject({ status: 200 });
  });

  test("is refused without the right signature over exactly these bytes", async () => {
    const message = await sentMessage("wamid.8");
    const body = Buffer.from(
      JSON.stringify({
        entry: [{ changes: [{ value: { statuses: [{ id: "wamid.8", status: "read", timestamp: "1772366401" }] } }] }],
      }),
    );
    const refused = [undefined, "", "sha256=", sign(body, "guess"), sign(Buffer.concat([body, Buffer.from(" ")]))];
    for (const signature of refused) {
      expect(await handle({ body, signature })).toMatchObject({ status: 401 });
    }
    expect((await message.state())?.state).toBe("sent");
    expect(await handle({ body, signature: sign(body) })).toMatchObject({ status: 200 });
    expect((await message.state())?.state).toBe("read");
  });

  test.each([
    ["not JSON", "{", 400],
    ["null", "null", 200],
    ["a list", "[1]", 200],
    ["an incoming message", '{"entry":[{"changes":[{"value":{"messages":[{"id":"wamid.9"}]}}]}]}', 200],
    [
      "statuses of odd types",
      '{"entry":[{"changes":[{"value":{"statuses":[null,7,{"id":1,"status":"read"}]}}]}]}',
      200,
    ],
    [
      "a time out of bounds",
      '{"entry":[{"changes":[{"value":{"statuses":[{"id":"a","status":"read","timestamp":"1e300"}]}}]}]}',
      200,
    ],
    [
      "NUL in an id",
      '{"entry":[{"changes":[{"value":{"statuses":[{"id":"a\\u0000","status":"read","timestamp":"1"}]}}]}]}',
      200,
    ],
  ])("of %s does no harm", async (_name, text, status) => {
    const body = Buffer.from(text);
    expect(await handle({ body, signature: sign(body) })).toMatchObject({ status });
  });
});

test("other methods are answered 405 with Allow", async () => {
  expect(await handle({ method: "PUT" })).toMatchObject({ status: 405, headers: { Allow: "GET, POST" } });
});

test("the log contains neither the verify token, nor the secret, nor a signature", async () => {
  const query = new URLSearchParams({ "hub.mode": "subscribe", "hub.verify_token": "guess", "hub.challenge": "1" });
  await handle({ method: "GET", query });
  await handle({ body: Buffer.from("{}"), signature: "sha256=abcdef" });
  const log = use.outbox.log.lines.join("");
  expect(log).toContain("whatsapp_signature_refused");
  expect(log).not.toMatch(/guess|abcdef|secret of|word at Meta/);
});
