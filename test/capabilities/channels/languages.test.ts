import { readFile } from "node:fs/promises";
import { describe, expect, test } from "vitest";
import { plivoVoices } from "../../../src/capabilities/channels/plivo/plivo-voices.ts";
import { callText, providerText } from "../../../src/capabilities/channels/provider-text.ts";
import { countSegments } from "../../../src/capabilities/channels/sms-text/segments.ts";
import { type LanguageTag, languageTags } from "../../../src/capabilities/channels/texts/language-tags.ts";
import { textsFor } from "../../../src/capabilities/channels/texts/languages.ts";
import { spokenCode } from "../../../src/capabilities/channels/texts/spoken-code.ts";
import { timeInWords } from "../../../src/capabilities/channels/texts/time-left.ts";
import { twilioVoices } from "../../../src/capabilities/channels/twilio/twilio-voices.ts";
import { vonageVoices } from "../../../src/capabilities/channels/vonage/vonage-voices.ts";
import { codeMessage, fixedNow } from "./messages.ts";
import { segmentsByLanguage, smsIn } from "./segments-by-language.ts";

const isolates = /[\u2066-\u2069]/;

describe.each(languageTags)("the texts in %s", (tag) => {
  const texts = textsFor(tag);
  const given = { brand: "«Brand»", code: "«Code»", time: "«Time»", payee: "«Payee»", amount: "«Amount»" };
  const { brand, payee, amount, time } = given;
  const withBrand = { subject: texts.subject(brand), heading: texts.heading(brand) };
  const spoken = { spoken: texts.spoken(given), payment: texts.approval.spoken(given) };
  const all: Readonly<Record<string, string>> = {
    ...withBrand,
    preheader: texts.preheader,
    sandbox: texts.sandbox,
    instruction: texts.instruction,
    expiry: texts.expiry(time),
    caution: texts.caution(brand),
    short: texts.short(given),
    spoken: spoken.spoken,
    "reset.subject": texts.reset.subject(brand),
    "reset.heading": texts.reset.heading,
    "reset.instruction": texts.reset.instruction(brand, "«Url»"),
    "reset.caution": texts.reset.caution,
    "approval.subject": texts.approval.subject(brand),
    "approval.heading": texts.approval.heading,
    "approval.instruction": texts.approval.instruction({ payee, amount }),
    "approval.caution": texts.approval.caution(brand),
    "approval.short": texts.approval.short(given),
    "approval.spoken": spoken.payment,
  };

  test("are in this language, which no other one's texts are", () => {
    expect(texts.language).toBe(tag);
    const others = languageTags.filter((other) => other !== tag).map(textsFor);
    for (const other of others) {
      expect(other.instruction).not.toBe(texts.instruction);
      expect(other.short(given)).not.toBe(texts.short(given));
      expect(other.approval.heading).not.toBe(texts.approval.heading);
    }
  });

  test("say what they must", () => {
    expect(withBrand.subject).toContain(brand);
    expect(withBrand.heading).toContain(brand);
    expect(all.expiry).toContain(time);
    expect(all["reset.subject"]).toContain(brand);
    expect(all["reset.instruction"]).toMatch(/«Brand».*«Url»|«Url».*«Brand»/);
    expect(all["approval.subject"]).toContain(brand);
    for (const part of Object.values(given)) {
      expect(all["approval.short"]).toContain(part);
      expect(all["approval.spoken"]).toContain(part);
    }
    expect(all["approval.instruction"]).toContain(payee);
    expect(all["approval.instruction"]).toContain(amount);
    expect(all["approval.caution"]).toContain(brand);
    for (const text of [all.short, all.spoken]) {
      expect(text).toContain(brand);
      expect(text).toContain(time);
    }
    expect(all.short?.match(/«Code»/g)).toHaveLength(1);
    expect(all["approval.short"]?.match(/«Code»/g)).toHaveLength(1);
    expect(all.spoken?.match(/«Code»/g)).toHaveLength(2);
    expect(all["approval.spoken"]?.match(/«Code»/g)).toHaveLength(2);
  });

  test("have neither code, payee nor amount where a locked screen shows them, and no text is left open", () => {
    for (const name of ["subject", "preheader", "sandbox", "reset.subject", "approval.subject"]) {
      expect(all[name]).not.toMatch(/«(Code|Payee|Amount)»/);
    }
    for (const [name, text] of Object.entries(all)) {
      expect(text, name).toBe(text.normalize("NFC"));
      expect(text, name).toBe(text.trim());
      expect(text, name).not.toMatch(/undefined|\$\{|#| {2}|\.\.|\p{Cc}/u);
    }
  });

  test("have a code that stands apart from letters, so that phones find it", () => {
    for (const text of [all.short, all["approval.short"]]) {
      expect(text).toMatch(/(^|[^\p{L}\p{N}])«Code»[^\p{L}\p{N}]/u);
    }
  });

  test("have no name before a full stop, which would be two: Acme Inc.", () => {
    for (const [name, text] of Object.entries(all)) {
      expect(text, name).not.toMatch(/«(Brand|Payee)»\u2069?[.।]/);
    }
  });

  test("isolate what stands in them if they are written from right to left, and only then", () => {
    const isRightToLeft = /\p{Script=Arabic}|\p{Script=Hebrew}/u.test(texts.instruction);
    expect(texts.direction).toBe(isRightToLeft ? "rtl" : "ltr");
    const { short, ...approval } = { short: all.short, ...all };
    for (const [name, text] of Object.entries({ ...approval, short })) {
      const inserted = text?.match(/«(Brand|Payee|Amount|Url)»/g) ?? [];
      const isolated = text?.match(/\u2068«(Brand|Payee|Amount|Url)»\u2069/g) ?? [];
      const isSpoken = name.endsWith("spoken");
      expect(isolated.length, name).toBe(isRightToLeft && !isSpoken ? inserted.length : 0);
      expect(isolates.test(text?.replaceAll(/\u2068«\w+»\u2069/g, "") ?? ""), name).toBe(false);
    }
  });

  test("isolate a name from right to left in every language, so that the code beside it keeps its place", () => {
    const words = { brand: "بنك", payee: "מחבר", code: "493817", time: "5", amount: "EUR 10.50" };
    for (const text of [texts.subject(words.brand), texts.short(words), texts.approval.short(words)]) {
      expect(text).toContain(`\u2068${words.brand}\u2069`);
    }
    expect(texts.approval.short(words)).toContain(`\u2068${words.payee}\u2069`);
    expect(texts.spoken(words)).not.toMatch(/[\u2068\u2069]/);
  });

  test("make no line for phones of what stands in them", () => {
    const names = ["@x", "#1"].flatMap((brand) => ["@x", "#1"].map((payee) => ({ brand, payee })));
    for (const { brand, payee } of names) {
      const words = { brand, payee, code: "493817", time: "5", amount: "EUR 10.50" };
      for (const text of [texts.short(words), texts.approval.short(words)]) {
        expect(text).not.toMatch(/(?:^|\s)@\S+ #/m);
      }
    }
  });

  test("have a wording of their own for each number of minutes that a code can have", () => {
    const rules = new Intl.PluralRules(tag);
    const wordings = Array.from({ length: 61 }, (_, minutes) => timeInWords(texts, minutes));
    expect(new Set(wordings).size).toBe(61);
    for (const [minutes, wording] of wordings.entries()) {
      expect(wording).not.toContain("#");
      if (minutes > 2 && minutes < 60) {
        const category = rules.select(minutes);
        expect(texts.timeLeft, `the form of ${minutes}`).toHaveProperty(category);
        expect(wording).toContain(String(minutes));
        expect(wording).toBe(texts.timeLeft[category]?.replace("#", String(minutes)));
      }
    }
    for (const minutes of [1, 2]) {
      expect(texts.timeLeft).toHaveProperty(rules.select(minutes));
    }
  });

  test("read each digit of a code by its own word", () => {
    expect(new Set(texts.digits).size).toBe(10);
    expect(spokenCode(texts, "0123456789")).toBe(texts.digits.join(texts.pause));
    expect(texts.digits.join("")).not.toMatch(/[\d\s]/);
  });

  test("fit into one text message with a brand of four letters, unless less than a minute is left", () => {
    for (let minutes = 1; minutes <= 60; minutes += 1) {
      expect(countSegments(smsIn(tag, { brand: "Acme", expiresInS: 60 * minutes })), `${minutes} minutes`).toBe(1);
    }
  });
});

test.each([
  ["pt-BR", "pt-BR"],
  ["pt", "pt-BR"],
  ["pt-PT", "pt-BR"],
  ["PT_br", "pt-BR"],
  ["de-AT-1996", "de"],
  ["de-x-brand", "de"],
  ["es-419", "es"],
  ["en-US-u-ca-buddhist", "en"],
  ["zh", "zh-CN"],
  ["zh-CN", "zh-CN"],
  ["zh-SG", "zh-CN"],
  ["zh-Hans", "zh-CN"],
  ["zh-Hans-TW", "zh-CN"],
  ["zh-TW", "zh-TW"],
  ["zh-HK", "zh-TW"],
  ["zh-MO", "zh-TW"],
  ["zh-Hant", "zh-TW"],
  ["zh-Hant-CN", "zh-TW"],
  ["zh_hant_hk", "zh-TW"],
  ["cmn-Hant-TW", "zh-TW"],
  ["cmn", "zh-CN"],
  ["iw", "he"],
  ["iw-IL", "he"],
  ["in-ID", "id"],
  ["id", "id"],
])("the texts for %s are those in %s", (locale, language) => {
  expect(textsFor(locale).language).toBe(language);
});

test.each(["sv", "zza", "ptt", "e", "d-e", "i", "constructor", "", "-", "__proto__", undefined])(
  "a locale without texts gets English: %s",
  (locale) => {
    expect(textsFor(locale).language).toBe("en");
  },
);

test("the guide has the table of languages and text messages", async () => {
  const guide = await readFile(new URL("../../../docs/guides/languages.md", import.meta.url), "utf8");
  expect(guide).toContain(segmentsByLanguage());
});

test("a call is in English if the provider has no voice for the language, and in the language otherwise", () => {
  const message = codeMessage({ channel: "voice", locale: "he", brand: "Acme" });
  const english = { ...message, locale: "en" };
  const silent = Object.fromEntries(languageTags.map((tag) => [tag, undefined])) as Record<LanguageTag, undefined>;
  expect(callText(message, fixedNow, { ...silent, en: "Joanna" })).toEqual({
    text: providerText(english, fixedNow),
    voice: "Joanna",
  });
  expect(callText(message, fixedNow, { ...silent, en: "Joanna", he: "Carmit" })).toEqual({
    text: "קוד האימות מאת Acme הוא: ארבע, תשע, שלוש, שמונה, אחת, שבע. שוב: ארבע, תשע, שלוש, שמונה, אחת, שבע. תוקפו יפוג בעוד 5 דקות.",
    voice: "Carmit",
  });
});

test.each([
  ["twilio", twilioVoices],
  ["vonage", vonageVoices],
  ["plivo", plivoVoices],
])("%s has another voice for each language that it has one for", (_, voices) => {
  const named = Object.values<unknown>(voices).flatMap((voice) => (voice === undefined ? [] : [JSON.stringify(voice)]));
  expect(new Set(named).size).toBe(named.length);
});
