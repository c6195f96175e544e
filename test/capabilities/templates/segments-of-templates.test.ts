/** A text message of a template has three parts at most, whatever alphabet its names need: otherwise it has the server's text. */
import fc from "fast-check";
import { beforeAll, describe, expect, test } from "vitest";
import { parseConfig } from "../../../src/app.ts";
import type { CodeMessage } from "../../../src/capabilities/channels/outgoing-message.ts";
import { providerText, templateInUse } from "../../../src/capabilities/channels/provider-text.ts";
import { countSegments, isGsm7, maxSegments } from "../../../src/capabilities/channels/sms-text/segments.ts";
import { languageTags } from "../../../src/capabilities/channels/texts/language-tags.ts";
import { compileTemplate } from "../../../src/capabilities/templates/compile-template.ts";
import { useTestApp } from "../../support/app.ts";
import { limitsOf } from "../../support/limit-settings.ts";
import { protocols } from "../../support/protocols.ts";
import { codeMessage, fixedNow } from "../channels/messages.ts";
import { messagesTo } from "../verify/verify-calls.ts";

/** Text messages have a provider, so that the sandbox serves them. */
const { delivery } = parseConfig({
  SMS_URL: "http://127.0.0.1:9/",
  PROVIDER_SECRET: "a secret for adapters that is long enough",
});
const app = useTestApp({ delivery, ...limitsOf({ DEFAULT_TIER: "unlimited" }) });
let key: string;
let count = 0;
beforeAll(async () => {
  key = await app.mintKey({ mode: "test", scopes: ["templates", "verify"] });
});

/** Three parts with a brand of forty Latin letters. */
const longText = `{{code}} is your {{brand}} code. ${"It is for you alone. ".repeat(18).trim()}`;
const cyrillic = "Ж".repeat(40);

describe.each(protocols)("over $name", (protocol) => {
  const call = (name: Parameters<typeof protocol.call>[1], input: Record<string, unknown>) =>
    protocol.call(app, name, input, { key });
  const put = async (locale: string, text: string) => {
    const { code, body } = await call("PutTemplate", { channel: "sms", locale, text });
    expect([code, body.fields]).toEqual(["ok", undefined]);
    return body;
  };
  const textOf = async (fields: Record<string, unknown>) => {
    const recipient = `+6591${String(300_000 + ++count)}`;
    expect((await call("StartVerification", { channel: "sms", recipient, ...fields })).code).toBe("ok");
    return (await messagesTo(app, recipient, 1))[0]?.text ?? "";
  };

  test("a message whose brand makes seven parts of a template has the server's text, and the preview says so", async () => {
    await put("fr", longText);
    const draft = { channel: "sms", locale: "fr", text: longText };
    for (const [brand, isOwn] of [
      ["M".repeat(40), true],
      ["Ж", false],
      [cyrillic, false],
      ["😀".repeat(40), false],
      ["بنك", false],
    ] as const) {
      const sent = await textOf({ brand, locale: "fr" });
      expect([brand, sent.includes("It is for you alone."), sent.includes("Ne le communiquez")]).toEqual([
        brand,
        isOwn,
        !isOwn,
      ]);
      expect(countSegments(sent)).toBeLessThanOrEqual(3);
      for (const preview of [draft, { channel: "sms", locale: "fr" }]) {
        const { body } = await call("PreviewTemplate", { ...preview, brand });
        expect(body).toMatchObject({ template_locale: isOwn ? "fr" : null, segments: countSegments(body.text) });
        expect(body.text.includes("It is for you alone.")).toBe(isOwn);
      }
    }
  });

  test("so it is with a payee, and with the line for phones", async () => {
    const filler = `${"Only for you. ".repeat(14).trim()}`;
    await put("en", `{{code}} pays {{amount}} to {{payee}}. ${filler}`);
    const payment = { brand: "Acme", locale: "en", amount: { value: "10.50", currency: "EUR" } };
    expect(await textOf({ ...payment, payee: "Shop" })).toContain("Only for you.");
    expect(await textOf({ ...payment, payee: "Лавка" })).toBe(
      "000000 is your Acme code to pay EUR 10.50 to Лавка (expires in 5 minutes). Do not share it.".replace(
        "EUR 10.50",
        "EUR\u00a010.50",
      ),
    );
    await put("en", `{{code}} ${"Only for you. ".repeat(31).trim()}`);
    const start = { brand: "Acme", locale: "en" };
    expect(await textOf(start)).toContain("Only for you.");
    const autofill_domain = `${"a".repeat(30)}.example`;
    expect(await textOf({ ...start, autofill_domain })).toContain("is your Acme verification code");
  });

  test("a Latin template of a locale that is written from right to left stays in GSM 7-bit, and isolates are counted", async () => {
    await put("ar", `{{brand}}: {{code}}. ${"Yours alone. ".repeat(10).trim()}`);
    const latin = await textOf({ brand: "Acme", locale: "ar" });
    expect(latin).toBe(`Acme: 000000. ${"Yours alone. ".repeat(10).trim()}`);
    expect(isGsm7(latin)).toBe(true);
    // With a brand of forty letters and a code of ten digits: 201 units without the two isolates, which are one too many.
    const arabic = `${"ب".repeat(147)}: {{brand}} {{code}}`;
    expect(await call("PutTemplate", { channel: "sms", locale: "ar", text: arabic })).toMatchObject({
      body: {
        fields: { text: "must fit into 3 parts of a text message if every value has its greatest length: it takes 4" },
      },
    });
    await put("ar", arabic.slice(2));
    expect(await textOf({ brand: "M".repeat(40), locale: "ar", code_length: 10 })).toContain("\u2068MMM");
  });
});

test("whatever the names, a template that is accepted makes three parts at most, or no fewer are possible", () => {
  const letter = fc.constantFrom("M", "{", "€", "Ж", "😀", "ب", "ก", "’", "ç", " ");
  const name = (maxLength: number) =>
    fc.array(letter, { minLength: 1, maxLength }).map((letters) => `A${letters.join("")}`);
  const templates = fc.record({
    values: fc.constantFrom("", "{{brand}} ", "{{brand}} {{minutes}} ", "{{time}} "),
    words: fc.constantFrom("It is yours. ", "Это ваш код. ", "رمز لك. ", "[€] "),
    times: fc.nat({ max: 35 }),
    isForApproval: fc.boolean(),
  });
  const locale = fc.constantFrom("default", ...languageTags);
  const domain = fc.option(fc.constantFrom("acme.example", `${"a".repeat(60)}.example`), { nil: undefined });
  let [ownTexts, serverTexts] = [0, 0];
  fc.assert(
    fc.property(templates, locale, locale, name(39), name(69), domain, (given, stored, asked, brand, payee, domain) => {
      const text = `{{code}} x ${given.isForApproval ? "{{amount}} {{payee}} " : ""}${given.values}${given.words.repeat(given.times)}.`;
      const content = { subject: undefined, html: undefined, logo: undefined };
      const colors = { backgroundColor: undefined, textColor: undefined, accentColor: undefined };
      const compiled = compileTemplate({ channel: "sms", locale: stored }, { text, ...content, ...colors });
      if (!("template" in compiled)) {
        return;
      }
      const message: CodeMessage = codeMessage({
        channel: "sms",
        brand,
        ...(asked === "default" ? {} : { locale: asked }),
        ...(given.isForApproval ? { approval: { payee, amount: { value: "10.50", currency: "EUR" } } } : {}),
        ...(domain === undefined ? {} : { autofillDomain: domain }),
      });
      const parts = countSegments(providerText({ ...message, template: compiled.template }, fixedNow));
      expect(parts).toBeLessThanOrEqual(Math.max(maxSegments, countSegments(providerText(message, fixedNow))));
      const isOwn = templateInUse({ ...message, template: compiled.template }, fixedNow) !== undefined;
      [ownTexts, serverTexts] = [ownTexts + Number(isOwn), serverTexts + Number(!isOwn)];
    }),
    { numRuns: 1_000, seed: 28 },
  );
  expect(Math.min(ownTexts, serverTexts)).toBeGreaterThan(50);
});
