import { describe, expect, test } from "vitest";
import { textsFor } from "../../../src/capabilities/channels/texts/languages.ts";
import { renderMail } from "../../../src/capabilities/channels/texts/mails.ts";
import { minutesLeft, timeInWords } from "../../../src/capabilities/channels/texts/time-left.ts";
import { codeMessage, fixedNow } from "./messages.ts";

describe("the mail", () => {
  test("has the code in both bodies and not in the subject", () => {
    const mail = renderMail(codeMessage(), fixedNow);
    expect(mail.subject).toBe("Your Acme verification code");
    expect(mail.text).toContain("493817");
    expect(mail.html).toContain(">493817<");
  });

  test("says how long the code can be used", () => {
    const mail = renderMail(codeMessage(), fixedNow);
    expect(mail.text).toContain("It expires in 5 minutes.");
    expect(mail.html).toContain("It expires in 5 minutes.");
  });

  test("escapes the brand wherever it stands in the HTML", () => {
    const brand = `<b>"A" & 'B'</b>`;
    const mail = renderMail(codeMessage({ brand }), fixedNow);
    expect(mail.html).not.toContain("<b>");
    expect(mail.html.match(/&lt;b&gt;&quot;A&quot; &amp; &#39;B&#39;&lt;\/b&gt;/g)).toHaveLength(3);
    expect(mail.text).toContain(brand);
  });

  test("asks mail programs not to turn a code or a name into a link", () => {
    const { html } = renderMail(codeMessage({ brand: "Booking.com" }), fixedNow);
    expect(html).toMatch(/<meta name="format-detection" content="telephone=no, .*url=no">/);
  });

  test("ends with the line that binds the code to the autofill domain, if one is set", () => {
    const last = (text: string) => text.trimEnd().split("\n").at(-1);
    const bound = renderMail(codeMessage({ autofillDomain: "acme.example" }), fixedNow);
    expect(last(bound.text)).toBe("@acme.example #493817");
    expect(bound.html).toContain("@acme.example #493817");
    expect(renderMail(codeMessage(), fixedNow).text).not.toContain("#493817");
  });

  test("for a password reset escapes brand and address, and keeps the code out of the subject", () => {
    const resetsPasswordAt = "https://byond.example/?a=1&b='<i>'";
    const mail = renderMail(codeMessage({ brand: "<b>Acme</b>", resetsPasswordAt }), fixedNow);
    expect(mail.subject).toBe("Set a new password for your <b>Acme</b> account");
    expect(mail.html).toContain("https://byond.example/?a=1&amp;b=&#39;&lt;i&gt;&#39;:");
    expect(mail.html).not.toMatch(/<[bi]>/);
    expect(mail.html).toContain(">493817<");
    expect(mail.text).toContain(`at ${resetsPasswordAt}:`);
    expect(mail.html).not.toMatch(/src=|href=|@import|url\(/);
  });

  test("loads nothing over the network", () => {
    expect(renderMail(codeMessage(), fixedNow).html).not.toMatch(/https?:|src=|href=|@import|url\(/);
  });
});

describe("the time left", () => {
  test.each([
    [300_000, 5],
    [299_000, 5],
    [294_000, 4],
    [60_000, 1],
    [54_000, 0],
    [0, 0],
    [-60_000, 0],
    [3_600_000, 60],
  ])("%i ms are told as %i minutes", (leftMs, minutes) => {
    expect(minutesLeft(new Date(fixedNow.getTime() + leftMs), fixedNow)).toBe(minutes);
  });

  test("has a wording for less than a minute, one minute, several and an hour", () => {
    const texts = textsFor("en");
    expect([0, 1, 2, 60].map((minutes) => timeInWords(texts, minutes))).toEqual([
      "less than a minute",
      "1 minute",
      "2 minutes",
      "1 hour",
    ]);
  });
});
