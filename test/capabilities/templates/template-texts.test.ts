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

const inLine = (words: string) => `Your code is {{code}}. Acme ${words}`;

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
  // Numbers in the line of the code.
  ...["© ٢٠٢٦", "© २०२६", "© 2569", "© 1447", "© 2026-27", "since 1898", "© 2004 - 2026", "© 2004 – 2026"].map(inLine),
  ...["+1 (800) 555-0199", "+49 (30) 901820", "+49 (0)30 901820", "+44 (0)20 7946 0958", "+49 30/901820"].map(inLine),
  ...["9.00–17.00 Uhr", "8.00 bis 20.00 Uhr", "10115 Berlin", "HRB 123456"].map(inLine),
  "Acme, 8.00 bis 20.00 Uhr, +49 (30) 901820: Ihr Code lautet {{code}}",
  // What ends a sentence, and what begins the next one.
  "„Ihr Code lautet {{code}}.“",
  "»Ihr Code lautet {{code}}«",
  "Your code is {{code}}.🙂",
  "🔑{{code}}🔑",
  "■認証コード：{{code}}",
  "Your code is {{code}}. {{minutes}} minutes are left.",
  "Your code is {{code}}. 24/7 help: +49 30 901820",
  "Your code is {{code}} ({{minutes}} min)",
  "{{code}}, {{time}}",
  "验证码：{{code}}（5分钟内有效）",
  "验证码：{{code}}(五分钟内有效)",
  "确认: {{code}} 五分钟内有效",
  "确认: {{code}} 5分钟内有效",
  "{{code}} 万が一心当たりがない場合は無視してください",
  "{{code}} 千代田区丸の内",
  "唯一: {{code}}",
  "Check24: {{code}}",
  "Check24 {{code}}",
  "Step 2: {{code}}",
  "订单4711：{{code}}",
  "Help: +49 (30) 901820. {{code}} is your code",
  "{{payee}} {{amount}}: {{code}} is your code",
  "{{code}} 2FA",
  "{{payee}} - {{amount}} with {{code}}",
  "{{amount}} 원 결제: {{code}}, {{payee}}",
  "{{payee}}에 {{amount}}을 결제하려면 {{code}}를 입력하세요",
  "{{payee}} に {{amount}}を支払う: {{code}}",
])("%s is accepted", (text) => {
  expect(problemOf(text)).toBeUndefined();
});

test("cells beside each other keep numbers apart", () => {
  const html =
    '<table width="100%" style="table-layout: fixed"><tr><td>{{code}}</td><td>{{minutes}} minutes</td></tr></table>';
  const content = { subject: undefined, text: "{{code}}", html, logo: undefined };
  const colors = { backgroundColor: undefined, textColor: undefined, accentColor: undefined };
  expect(compileTemplate({ channel: "email", locale: "en" }, { ...content, ...colors })).toHaveProperty("template");
});

test.each([
  ["Your code is 9 {{code}} now", 'in "Your code is 9 {{code}} now"'],
  ["{{code}}\nSign in at www-x.example now", '"www-x.example"'],
])("the reason for %j says what was found", (text, found) => {
  expect(problemOf(text)).toContain(found);
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
