/** The language of messages, as the start asks for it. */
import { beforeAll, describe, expect, test } from "vitest";
import { parseConfig } from "../../../src/app.ts";
import { languageTags } from "../../../src/capabilities/channels/texts/language-tags.ts";
import { textsFor } from "../../../src/capabilities/channels/texts/languages.ts";
import { timeInWords } from "../../../src/capabilities/channels/texts/time-left.ts";
import { useTestApp } from "../../support/app.ts";
import { limitsOf } from "../../support/limit-settings.ts";
import { protocols } from "../../support/protocols.ts";
import { messagesTo } from "./verify-calls.ts";

/** Text messages have a provider, so that the sandbox serves them. */
const { delivery } = parseConfig({
  SMS_URL: "http://127.0.0.1:9/",
  PROVIDER_SECRET: "a secret for adapters that is long enough",
});

const app = useTestApp({ delivery, ...limitsOf({ DEFAULT_TIER: "unlimited" }) });
let key: string;
let count = 0;
beforeAll(async () => {
  key = await app.mintKey({ mode: "test" });
});

const newMail = () => `reader-${++count}@example.com`;
const newPhone = () => `+6591${String(200_000 + ++count)}`;

/** The text message with a code of the sandbox that has just been started. */
const shortIn = (locale: string) => {
  const texts = textsFor(locale);
  return texts.short({ brand: "Acme", code: "000000", time: timeInWords(texts, 5) });
};

describe.each(protocols)("over $name", (protocol) => {
  const call = (name: Parameters<typeof protocol.call>[1], input: Record<string, unknown>) =>
    protocol.call(app, name, input, { key });
  const start = (fields: Record<string, unknown>) => call("StartVerification", { brand: "Acme", ...fields });

  test("mails and text messages are in each of the languages", async () => {
    const inLanguages = languageTags.map(async (locale) => {
      const texts = textsFor(locale);
      const [mailbox, phone] = [newMail(), newPhone()];
      await start({ channel: "email", recipient: mailbox, locale });
      await start({ channel: "sms", recipient: phone, locale });
      const [mail] = await messagesTo(app, mailbox, 1);
      expect(mail?.subject).toBe(texts.subject("Acme"));
      expect(mail?.text).toContain(texts.instruction);
      expect(mail?.html).toContain(`lang="${locale}" dir="${texts.direction}"`);
      const [sms] = await messagesTo(app, phone, 1);
      expect(sms?.text).toBe(shortIn(locale));
    });
    await Promise.all(inLanguages);
  });

  test.each([
    ["zh-Hant-HK", "zh-TW"],
    ["zh-SG", "zh-CN"],
    ["pt-PT", "pt-BR"],
    ["iw", "he"],
    ["de-AT", "de"],
    ["sv-SE", "en"],
    [undefined, "en"],
  ])("the locale %s gets the texts in %s, and so does a resend", async (locale, language) => {
    const recipient = newPhone();
    const { body } = await start({ channel: "sms", recipient, ...(locale === undefined ? {} : { locale }) });
    expect((await call("ResendCode", { verification_id: body.verification_id })).code).toBe("ok");
    const messages = await messagesTo(app, recipient, 2);
    expect(messages.map(({ text }) => text)).toEqual([shortIn(language), shortIn(language)]);
  });

  test("a locale that is no language tag is refused", async () => {
    for (const locale of ["english language", "de_DE", "x", ""]) {
      expect(await start({ channel: "email", recipient: newMail(), locale })).toMatchObject({
        code: "validation_error",
      });
    }
  });
});
