/** The rules of texts refuse addresses wherever they stand, and let pass what messages with codes say in each language. */
import { describe, expect, test } from "vitest";
import { languageTags } from "../../../src/capabilities/channels/texts/language-tags.ts";
import { textsFor } from "../../../src/capabilities/channels/texts/languages.ts";
import { compileTemplate } from "../../../src/capabilities/templates/compile-template.ts";
import { addressAttacks } from "../../text/disguised-addresses.ts";

/** What is wrong with the text of a mail. */
function problemOf(text: string): string | undefined {
  const content = { subject: undefined, html: undefined, logo: undefined };
  const colors = { backgroundColor: undefined, textColor: undefined, accentColor: undefined };
  const compiled = compileTemplate({ channel: "email", locale: "en" }, { ...content, ...colors, text });
  return "problems" in compiled ? compiled.problems.text : undefined;
}

const words = {
  code: "{{code}}",
  brand: "{{brand}}",
  time: "{{time}}",
  payee: "{{payee}}",
  amount: "{{amount}}",
} as const;

test.each(languageTags)("the server's own texts in %s are accepted as templates", (language) => {
  const { short, spoken, approval, ...texts } = textsFor(language);
  const { brand, code, time } = words;
  const plain = [texts.heading(brand), texts.instruction, code, texts.expiry(time), texts.caution(brand)];
  const payment = [approval.heading, approval.instruction(words), code, approval.caution(brand)];
  const all = [short(words), spoken(words), approval.short(words), approval.spoken(words), plain, payment];
  // The isolates of names are the server's.
  const isolates = /[\u2066-\u2069]/g;
  for (const text of all.map((each) => [each].flat().join("\n\n").replace(isolates, ""))) {
    expect([text, problemOf(text)]).toEqual([text, undefined]);
  }
});

test.each([
  "您的验证码是{{code}}，{{minutes}}分钟内有效。",
  "验证码{{code}}，5分钟内有效，如非本人操作，请忽略。",
  "認証コードは{{code}}です。",
  "[{{brand}}] 인증번호 [{{code}}]를 입력해주세요.",
  "Ваш код — {{code}}. Никому его не сообщайте!",
  "{{code}} کد تایید شما",
  "रमज़ {{code}}।",
  "Kod:{{code}}",
  "**{{code}}**… valid for {{minutes}} min",
  "{{code}}... and 24/7 help at +49 30 1234567",
  "© 2026 {{brand}}. {{code}}, from 8:00 to 18:00",
  "Your code is “{{code}}”; it's for {{payee}} ({{amount}}).",
])("%s is accepted", (text) => {
  expect(problemOf(text)).toBeUndefined();
});

describe.each(["", "Open ", "请打开", "请打开，", "请打开。", "{{brand}}请打开", "{{brand}}。"])(
  "after %j",
  (before) => {
    test("every disguised address is refused", () => {
      // After letters of Chinese, it is neither the beginning of a line nor a host that others reach.
      const attacks = addressAttacks.filter((attack) => !before.includes("请打开") || !attack.startsWith("@localhost"));
      const accepted = attacks.filter((attack) => problemOf(`{{code}}\n${before}${attack}`) === undefined);
      expect(accepted).toEqual([]);
    });
  },
);
