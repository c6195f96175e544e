/** What providers of text messages and calls receive of a workspace's own text: that text, and the server's line for phones. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { parseConfig } from "../../../src/app.ts";
import { useTestApp } from "../../support/app.ts";
import { verifyEmailOf } from "../../support/verified-email.ts";
import { HttpFake, type ReceivedRequest } from "../channels/http-fake.ts";

const sid = `AC${"0123456789abcdef".repeat(2)}`;
const fake = await HttpFake.open();
afterAll(() => fake.close());

const providers = [
  {
    name: "an adapter",
    url: `${fake.url}/messages`,
    secret: "a secret for adapters that is long enough",
    answer: { status: 200, body: '{"message_id":"carrier-1"}' },
    textOf: ({ body }: ReceivedRequest): string => JSON.parse(body).text,
    recipientOf: ({ body }: ReceivedRequest): string => JSON.parse(body).recipient,
    /** How the provider is given a text that is read out. */
    spoken: (text: string) => text,
  },
  {
    name: "Twilio",
    url: `twilio://${sid}:fedcba9876543210fedcba9876543210@?from=+15550100&api_url=${encodeURIComponent(fake.url)}`,
    secret: undefined,
    answer: { status: 201, body: JSON.stringify({ sid: "SM1", status: "queued", error_code: null }) },
    textOf: ({ body }: ReceivedRequest): string => {
      const form = new URLSearchParams(body);
      return form.get("Body") ?? form.get("Twiml") ?? "";
    },
    recipientOf: ({ body }: ReceivedRequest): string => new URLSearchParams(body).get("To") ?? "",
    spoken: (text: string) =>
      `<Response><Say language="de-DE" voice="Polly.Vicki">${text.replaceAll("&", "&amp;").replaceAll('"', "&quot;")}</Say></Response>`,
  },
];

describe.each(providers)("over $name", ({ url, secret, answer, textOf, recipientOf, spoken }) => {
  const { delivery } = parseConfig({
    SMS_URL: url,
    VOICE_URL: url,
    ...(secret === undefined ? {} : { PROVIDER_SECRET: secret }),
  });
  const app = useTestApp({ delivery });
  let key: string;
  let count = 0;
  beforeAll(async () => {
    fake.answer = answer;
    const { session, workspaceId } = await app.signUp();
    await verifyEmailOf(app.databaseUrl, workspaceId);
    const scopes = ["templates", "verify"];
    key = (await app.rest("POST", "/api-keys", { session, body: { name: "key", mode: "live", scopes } })).body.key;
    const texts = {
      sms: "Your {{brand}} code: {{code}}\r\nValid for {{time}}.",
      voice: "{{brand}} sagt {{code}} für {{amount}} an {{payee}}, noch {{time}}.",
    };
    for (const [channel, text] of Object.entries(texts)) {
      const locale = channel === "sms" ? "default" : "de";
      expect((await app.rest("PUT", `/templates/${channel}/${locale}`, { key, body: { text } })).status).toBe(200);
    }
  });

  /** The text that the provider gets of a start. */
  const received = async (start: object): Promise<string> => {
    count += 1;
    const recipient = `+659123451${count}`;
    const { status } = await app.rest("POST", "/verify/start", { key, body: { recipient, ...start } });
    expect(status).toBe(201);
    await expect.poll(() => fake.requests.some((request) => recipientOf(request) === recipient)).toBe(true);
    return fake.requests.filter((request) => recipientOf(request) === recipient).map(textOf)[0] ?? "";
  };

  test("a text message has the template's text, and the server's line for phones last", async () => {
    const plain = await received({ channel: "sms", brand: `A<B> & "C"` });
    expect(plain).toMatch(/^Your A<B> & "C" code: \d{6}\nValid for 5 minutes\.$/);
    const bound = await received({ channel: "sms", brand: "Acme", autofill_domain: "acme.example" });
    expect(bound).toMatch(/^Your Acme code: (\d{6})\nValid for 5 minutes\.\n\n@acme\.example #\1$/);
  });

  test("a call reads the template's text, with digits in words and no tag from a name", async () => {
    const payment = { payee: `<audio src="x">Bücher`, amount: { value: "9.9", currency: "EUR" } };
    const text = await received({ channel: "voice", brand: "<speak>Acme", locale: "de-AT", ...payment });
    const digit = "(?:null|eins|zwei|drei|vier|fünf|sechs|sieben|acht|neun)";
    const shown = text.replace(new RegExp(`${digit}(?:, ${digit}){5}`), "CODE").replaceAll("\u00a0", " ");
    expect(shown).toBe(spoken('speak Acme sagt CODE für 9,90 Euro an audio src="x" Bücher, noch 5 Minuten.'));
  });
});
