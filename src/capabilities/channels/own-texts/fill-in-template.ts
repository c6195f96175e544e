import { escapeHtml } from "../../../server/html-template.ts";
import type { CodeMessage } from "../outgoing-message.ts";
import { autofillLine } from "../texts/autofill-line.ts";
import { directionOf, isolateIn } from "../texts/bidi.ts";
import { paymentOf } from "../texts/format-payment.ts";
import { textsFor } from "../texts/languages.ts";
import type { RenderedMail } from "../texts/rendered-mail.ts";
import { spokenCode } from "../texts/spoken-code.ts";
import { spokenName } from "../texts/spoken-name.ts";
import { minutesLeft, timeInWords } from "../texts/time-left.ts";
import { fillIn, type MessageTemplate, type PlaceholderName, type TextParts } from "./message-template.ts";
import { codeBox, logoHtml, mailDocument } from "./template-page.ts";

type Values = Readonly<Record<PlaceholderName, string>>;

/** How a channel writes values: with signs, in letters that every phone has, or as a voice says them. */
type Form = "mail" | "text" | "voice";
const amountForms = { mail: "symbol", text: "code", voice: "name" } as const;

/** What the placeholders stand for in a message. */
function valuesOf(message: CodeMessage, { locale }: MessageTemplate, now: Date, form: Form): Values {
  const texts = textsFor(locale ?? message.locale);
  const minutes = minutesLeft(message.expiresAt, now);
  const { approval, brand, code } = message;
  const nameOf = form === "voice" ? spokenName : (name: string) => name;
  return {
    code: form === "voice" ? spokenCode(texts, code) : code,
    brand: nameOf(brand),
    minutes: String(Math.max(1, minutes)),
    time: timeInWords(texts, minutes),
    // A template with them is only chosen for a message that has them.
    ...(approval === undefined
      ? { payee: "", amount: "" }
      : paymentOf(texts, { ...approval, payee: nameOf(approval.payee) }, amountForms[form])),
  };
}

/** The text of a workspace's own for a text message, or what a call reads out, without the line for phones. */
export function templateText(
  message: CodeMessage,
  template: MessageTemplate,
  now: Date,
  form: Exclude<Form, "mail">,
): string {
  return plainText(template.text, valuesOf(message, template, now, form), form);
}

/** The mail of a workspace's own. The line from which browsers fill in the code comes last, whatever the template says. */
export function templateMail(message: CodeMessage, template: MessageTemplate, now: Date): RenderedMail {
  const values = valuesOf(message, template, now, "mail");
  const texts = textsFor(template.locale ?? message.locale);
  const subject =
    template.subject === undefined
      ? (message.approval === undefined ? texts : texts.approval).subject(message.brand)
      : plainText(template.subject, values, "mail");
  const mark = message.mode === "test" ? texts.sandbox : undefined;
  const bound = autofillLine(message);
  const lines = [
    ...(mark === undefined ? [] : [mark, ""]),
    plainText(template.text, values, "mail").trimEnd(),
    ...(bound === undefined ? [] : ["", bound]),
    "",
  ];
  return {
    subject: message.codeInSubject === true ? `${message.code} - ${subject}` : subject,
    text: lines.join("\n"),
    html: mailDocument({
      language: template.locale ?? texts.language,
      // Letters say more of a text in a language that is not known.
      direction: template.locale === undefined ? "auto" : texts.direction,
      title: subject,
      preheader: message.codeInSubject === true ? texts.expiry(values.time) : texts.preheader,
      colors: template.colors,
      body: template.html === undefined ? laidOut(template, values) : fillIn(template.html, inHtml(values)),
      mark,
      bound,
    }),
    ...(template.logo === undefined ? {} : { logo: template.logo }),
  };
}

/**
 * A text without elements. Names and amounts are isolated as in the server's own texts, except for a voice. The template's letters say its
 * direction, not its locale: what isolates a name is not in the GSM 7-bit alphabet, and would more than double the parts of a Latin text.
 */
function plainText(parts: TextParts, values: Values, form: Form): string {
  const direction = directionOf(fillIn(parts, () => ""));
  const isolate = (value: string) => (form === "voice" ? value : isolateIn(direction, value));
  const isolated = {
    ...values,
    brand: isolate(values.brand),
    payee: isolate(values.payee),
    amount: isolate(values.amount),
  };
  return fillIn(parts, (name) => isolated[name]).replaceAll("\r\n", "\n");
}

/** A value as HTML: escaped, and apart from the direction of the writing around it. */
const inHtml = (values: Values) => (name: PlaceholderName) => `<bdi>${escapeHtml(values[name])}</bdi>`;

/** The text as HTML, below the logo: a paragraph between empty lines. One with nothing but the code is shown as a code. */
function laidOut({ text, logo, colors }: MessageTemplate, values: Values): string {
  const write = inHtml(values);
  // No value has a line break in it.
  const html = text.map((part) => (typeof part === "string" ? escapeHtml(part) : write(part.placeholder))).join("");
  const paragraphs = html
    .trim()
    .split(/\r?\n[ \t]*(?:\r?\n[ \t]*)+/)
    .map((paragraph) =>
      paragraph.trim() === write("code")
        ? codeBox(values.code, colors)
        : `<p style="margin: 0 0 16px;">${paragraph.trim().replace(/\r?\n/g, "<br>\n")}</p>`,
    );
  return [...(logo === undefined ? [] : [logoHtml(values.brand)]), ...paragraphs].join("\n");
}
