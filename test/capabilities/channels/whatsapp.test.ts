import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import {
  createWhatsappChannel,
  templateLanguage,
  type WhatsappOptions,
} from "../../../src/capabilities/channels/whatsapp/whatsapp.ts";
import type { SendResult } from "../../../src/outbox/send-result.ts";
import { freePort } from "../../support/free-port.ts";
import { HttpFake } from "./http-fake.ts";
import { codeMessage } from "./messages.ts";

let whatsapp: HttpFake;

beforeAll(async () => {
  whatsapp = await HttpFake.open();
});
afterAll(async () => {
  await whatsapp.close();
});
beforeEach(() => {
  whatsapp.requests.splice(0);
});

async function send(
  options: Partial<WhatsappOptions> = {},
  signal = new AbortController().signal,
): Promise<SendResult> {
  const channel = createWhatsappChannel({
    apiUrl: `${whatsapp.url}/v23.0`,
    phoneNumberId: "106540352242922",
    token: "EAAG-secret-token",
    template: "login_code",
    templateLanguages: ["en"],
    ...options,
  });
  const message = codeMessage({ channel: "whatsapp", recipient: "+6591234567" });
  const result = await channel.send(message, { idempotencyKey: "dlv_1", signal });
  expect(JSON.stringify(result)).not.toMatch(/493817|91234567|secret-token/);
  return result;
}

const error = (status: number, code: number, headers: Record<string, string> = {}) => ({
  status,
  headers: { "content-type": "application/json", ...headers },
  body: JSON.stringify({ error: { message: `(#${code}) to +6591234567: 493817`, type: "OAuthException", code } }),
});

test("a message is the authentication template, with the code in the text and in the copy button", async () => {
  whatsapp.answer = { status: 200, body: JSON.stringify({ messages: [{ id: "wamid.HBgK" }] }) };
  // echo -n wamid.HBgK | openssl dgst -sha256 -binary | basenc --base64url
  const providerMessageId = "wamid-sha256:IrPPVcLI8PnO3Ztb_kzfrAhYj5nhkUA5PgMe0CT_UYE";
  expect(await send()).toEqual({ kind: "sent", providerMessageId });
  expect(whatsapp.requests).toHaveLength(1);
  expect(whatsapp.requests[0]).toMatchObject({
    path: "/v23.0/106540352242922/messages",
    headers: { authorization: "Bearer EAAG-secret-token", "content-type": "application/json" },
  });
  expect(whatsapp.lastJson).toEqual({
    messaging_product: "whatsapp",
    recipient_type: "individual",
    to: "+6591234567",
    type: "template",
    template: {
      name: "login_code",
      language: { code: "en" },
      components: [
        { type: "body", parameters: [{ type: "text", text: "493817" }] },
        { type: "button", sub_type: "url", index: "0", parameters: [{ type: "text", text: "493817" }] },
      ],
    },
    biz_opaque_callback_data: "byond",
  });
});

const retry = (provider: "works" | "fails", reason: string, afterMs?: number) => ({
  kind: "retry",
  provider,
  reason,
  ...(afterMs === undefined ? {} : { afterMs }),
});
const failed = (reason: string) => ({ kind: "failed", reason, provider: "works" });

describe("WhatsApp answering", () => {
  test.each([
    ["429", { status: 429 }, retry("fails", "WhatsApp's rate limit is reached (429)", 2_000)],
    [
      "429 with Retry-After",
      { status: 429, headers: { "retry-after": "7" } },
      retry("fails", "WhatsApp's rate limit is reached (429)", 7_000),
    ],
    [
      "a rate limit as an error",
      error(400, 130429),
      retry("fails", "WhatsApp's rate limit is reached (400, code 130429)", 2_000),
    ],
    [
      "a limit of this recipient",
      error(400, 131056),
      retry("works", "too many WhatsApp messages to this recipient (400, code 131056)", 6_000),
    ],
    ["500", { status: 500, body: "<html>oops" }, retry("fails", "WhatsApp is out of service (500)")],
    ["an outage as an error", error(500, 131016), retry("fails", "WhatsApp is out of service (500, code 131016)")],
    ["401", { status: 401 }, retry("fails", "WhatsApp refused the token (401)")],
    ["an expired token", error(401, 190), retry("fails", "WhatsApp refused the token (401, code 190)")],
    ["a missing permission", error(403, 200), retry("fails", "WhatsApp denied the permission to send (403, code 200)")],
    [
      "a recipient without WhatsApp",
      error(400, 131026),
      { ...failed("the recipient cannot receive WhatsApp messages (400, code 131026)"), undeliverable: true },
    ],
    ["an unknown template", error(404, 132001), failed("WhatsApp refused the template (404, code 132001)")],
    ["a bad request", error(400, 100), failed("WhatsApp refused the request (400, code 100)")],
    ["an unknown error", error(400, 999), failed("WhatsApp refused the request (400, code 999)")],
    [
      "garbage",
      { status: 200, body: "it works!" },
      retry("fails", "WhatsApp's interface answered something unknown (200)"),
    ],
    [
      "JSON of another kind",
      { status: 200, body: "[]" },
      retry("fails", "WhatsApp's interface answered something unknown (200)"),
    ],
    [
      "an id that cannot be kept",
      { status: 200, body: '{"messages":[{"id":"a\\u0000"}]}' },
      retry("fails", "WhatsApp's interface answered something unknown (200)"),
    ],
    [
      "no id",
      { status: 200, body: '{"messages":[{}]}' },
      retry("fails", "WhatsApp's interface answered something unknown (200)"),
    ],
    [
      "a redirection",
      { status: 302, headers: { location: "/" } },
      retry("fails", "WhatsApp's interface answered something unknown (302)"),
    ],
    [
      "megabytes",
      { status: 200, body: `{"messages":[{"id":"${"x".repeat(100_000)}"}]}` },
      retry("fails", "WhatsApp's interface answered something unknown (200)"),
    ],
    [
      "nothing, and hanging up",
      "hang up" as const,
      { ...retry("fails", "the provider cannot be reached"), mayBeSent: true },
    ],
  ])("%s", async (_name, answer, result) => {
    whatsapp.answer = answer;
    expect(await send()).toEqual(result);
    expect(whatsapp.requests).toHaveLength(1);
  });

  test("not at all: the attempt ends at the time-out and is retried", async () => {
    whatsapp.answer = "silence";
    expect(await send({ timeoutMs: 50 })).toEqual({
      ...retry("fails", "the provider did not answer in time"),
      mayBeSent: true,
    });
  });

  test("not at all: the attempt ends when it is aborted", async () => {
    whatsapp.answer = "silence";
    const abort = new AbortController();
    const sending = send({}, abort.signal);
    abort.abort();
    expect(await sending).toEqual({ ...retry("fails", "the attempt was aborted"), mayBeSent: true });
  });
});

test("an unreachable server is reported as a provider that cannot be reached", async () => {
  expect(await send({ apiUrl: `http://127.0.0.1:${await freePort()}` })).toEqual(
    retry("fails", "the provider cannot be reached"),
  );
});

test.each([
  [undefined, "en"],
  ["pt-BR", "pt_BR"],
  ["pt", "pt_BR"],
  ["pt_pt", "pt_BR"],
  ["es-MX", "es"],
  ["fr", "en"],
])("the template's language for %s is %s", (locale, language) => {
  expect(templateLanguage(["en", "pt_BR", "es"], locale)).toBe(language);
});

test.each([
  ["zh-Hant", "zh_TW"],
  ["zh-MO", "zh_TW"],
  ["zh-HK", "zh_HK"],
  ["zh-SG", "zh_CN"],
  ["zh", "zh_CN"],
  ["iw-IL", "he"],
  ["in", "id"],
  ["pt-PT", "pt_PT"],
  ["pt-AO", "pt_BR"],
  ["de-AT", "en_US"],
])("codes of former times, scripts and regions are understood: %s is %s", (locale, language) => {
  expect(templateLanguage(["en_US", "zh_HK", "zh_CN", "zh_TW", "pt_PT", "pt_BR", "he", "id"], locale)).toBe(language);
});
