/** The layout of mails, in every language. */
import { describe, expect, test } from "vitest";
import { languageTags } from "../../../src/capabilities/channels/texts/language-tags.ts";
import { textsFor } from "../../../src/capabilities/channels/texts/languages.ts";
import { renderMail } from "../../../src/capabilities/channels/texts/mails.ts";
import type { RenderedMail } from "../../../src/capabilities/channels/texts/rendered-mail.ts";
import { renderAccountEnding, renderWebhookDisabled } from "../../../src/capabilities/channels/texts/server-mails.ts";
import { codeMessage, fixedNow } from "./messages.ts";

/** About as much as the widest lists of mails show. */
const previewLength = 200;

/** What lists of mails show after the subject: as many characters of the mail as there is place for. */
function previewOf({ html }: RenderedMail): string {
  const [, body = ""] = /<body.*?>(.*)<\/body>/s.exec(html) ?? [];
  const text = body
    .replace(/<[^>]*>/g, "")
    .replace(/&#(\d+);/g, (_, code) => String.fromCodePoint(Number(code)))
    .replaceAll("&quot;", '"')
    .replaceAll("&amp;", "&");
  return text.trim().slice(0, previewLength);
}

const inEveryLanguage = languageTags.map((locale) => ({ locale, texts: textsFor(locale) }));

describe.each(inEveryLanguage)("a mail in $locale", ({ locale, texts }) => {
  const mail = renderMail(codeMessage({ locale, autofillDomain: "acme.example" }), fixedNow);

  test("shows its preheader after the subject, and not the code", () => {
    const preview = previewOf(mail);
    expect(preview).toMatch(new RegExp(`^${RegExp.escape(texts.preheader)}(?:\\u2007\\u034f)+\\u2007?$`));
    expect(mail.subject).not.toContain("493817");
    expect(preview.length).toBe(previewLength);
  });

  test("says its language and direction where Gmail keeps them, and that codes run from left to right", () => {
    const side = texts.direction === "rtl" ? "right" : "left";
    expect(mail.html).toContain(`<html lang="${locale}" dir="${texts.direction}">`);
    const [, card = ""] = /<table role="presentation" class="card"([^>]*)>/.exec(mail.html) ?? [];
    expect(card).toContain(`lang="${locale}" dir="${texts.direction}"`);
    expect(card).toContain(`text-align: ${side}`);
    expect(mail.html).toMatch(new RegExp(`dir="ltr" style="[^"]*text-align: ${side};">493817<`));
    expect(mail.html).toMatch(new RegExp(`dir="ltr" style="[^"]*text-align: ${side};[^"]*">@acme.example #493817<`));
    expect(mail.html).not.toMatch(/text-align: (?!left|right)/);
  });

  test("is marked if it is of a sandbox key", () => {
    const sandbox = renderMail(codeMessage({ locale, mode: "test" }), fixedNow);
    expect(sandbox.text.split("\n")[0]).toBe(texts.sandbox);
    expect(sandbox.html).toContain(`>${texts.sandbox}</td>`);
    expect(mail.text).not.toContain(texts.sandbox);
    expect(mail.html).not.toContain(texts.sandbox);
  });
});

test("with the code in the subject, the expiry follows it", () => {
  const mail = renderMail(codeMessage({ codeInSubject: true }), fixedNow);
  expect(mail.subject).toBe("493817 - Your Acme verification code");
  expect(previewOf(mail)).toMatch(/^It expires in 5 minutes\.(?:\u2007\u034f)+\u2007?$/);
});

test("every color has a counterpart in the dark", () => {
  const { html } = renderMail(codeMessage({ mode: "test" }), fixedNow);
  const [, dark = ""] = /prefers-color-scheme: dark\) \{(.*?)\n\}/s.exec(html) ?? [];
  const classes = [...html.matchAll(/class="([^"]*)" ?[^>]*style="[^"]*(?:background|[^-]color): #/g)];
  expect(classes.length).toBeGreaterThan(6);
  for (const [element, names = ""] of classes) {
    expect([element, names.split(" ").some((name) => dark.includes(`.${name} {`))]).toEqual([element, true]);
  }
});

describe("a mail of the server's own", () => {
  const url = "https://byond.example";
  const ending = renderAccountEnding({ endsAt: new Date("2026-03-02T12:00:00Z"), url });
  const disabled = renderWebhookDisabled({
    id: "whk_1",
    endpointUrl: "https://acme.example/<hook>",
    isGone: true,
    url,
  });

  test("says what to call, in its text and its HTML", () => {
    expect(ending.text).toContain("    POST https://byond.example/api/v1/auth/verify-email\n");
    expect(ending.html).toContain(">POST https://byond.example/api/v1/auth/verify-email<");
    expect(disabled.text).toContain('    PATCH https://byond.example/api/v1/webhooks/whk_1 {"enabled": true}\n');
    expect(disabled.html).toContain("&quot;enabled&quot;: true}<");
    expect(disabled.html).not.toContain("<hook>");
  });

  test("has a preheader", () => {
    expect(previewOf(ending)).toMatch(/^Its mail address is not verified\..*(?:\u2007\u034f)+\u2007?$/);
    expect(previewOf(disabled)).toMatch(/^Events are no longer sent to /);
  });
});
