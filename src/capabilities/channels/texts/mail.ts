import type { CodeMessage } from "../outgoing-message.ts";
import { textsFor } from "./languages.ts";
import { escapeHtml, mailPage } from "./mail-page.ts";
import { type MessageTexts, minutesLeft } from "./message-texts.ts";

/** A mail as people read it. */
export interface RenderedMail {
  readonly subject: string;
  readonly text: string;
  readonly html: string;
}

/** Words a code as a mail. `now` is when it is sent, for the time that is left. */
export function renderMail(message: CodeMessage, now: Date): RenderedMail {
  const texts = textsFor(message.locale);
  const words = wordsOf(message, texts, minutesLeft(message.expiresAt, now));
  return { subject: words.subject, text: renderText(message, words), html: renderHtml(message, texts, words) };
}

interface MailWords {
  readonly subject: string;
  readonly heading: string;
  readonly instruction: string;
  readonly expiry: string;
  readonly caution: string;
}

function wordsOf({ brand, resetsPasswordAt }: CodeMessage, texts: MessageTexts, minutes: number): MailWords {
  const expiry = texts.expiry(minutes);
  if (resetsPasswordAt === undefined) {
    return {
      subject: texts.subject(brand),
      heading: texts.heading(brand),
      instruction: texts.instruction(),
      expiry,
      caution: texts.caution(brand),
    };
  }
  const { reset } = texts;
  return {
    subject: reset.subject(brand),
    heading: reset.heading(),
    instruction: reset.instruction(brand, resetsPasswordAt),
    expiry,
    caution: reset.caution(),
  };
}

function renderText(message: CodeMessage, words: MailWords): string {
  return [
    words.heading,
    "",
    words.instruction,
    "",
    `    ${message.code}`,
    "",
    words.expiry,
    "",
    words.caution,
    ...autofillLines(message),
    "",
  ].join("\n");
}

/** The last line of the text, which binds the code to a domain (WICG "origin-bound one-time codes"). */
function autofillLines(message: CodeMessage): string[] {
  return message.autofillDomain === undefined ? [] : ["", `@${message.autofillDomain} #${message.code}`];
}

function renderHtml(message: CodeMessage, texts: MessageTexts, words: MailWords): string {
  const [bound] = autofillLines(message).slice(1);
  return mailPage({
    language: texts.language,
    direction: texts.direction,
    title: words.subject,
    heading: words.heading,
    introduction: words.instruction,
    main: `<tr><td style="padding: 24px 32px 0;">
<div class="code" dir="ltr" style="padding: 17px 0 15px; border-radius: 8px; background: #f2f4f6; color: #14171a; font-family: ui-monospace, SFMono-Regular, Menlo, Consolas, 'Liberation Mono', monospace; font-size: 32px; line-height: 40px; font-weight: 600; letter-spacing: 6px; text-indent: 6px; white-space: nowrap; text-align: center;">${escapeHtml(message.code)}</div>
<p class="soft" style="margin: 12px 0 0; font-size: 14px; line-height: 20px; text-align: center; color: #57606a;">${escapeHtml(words.expiry)}</p>
</td></tr>`,
    caution: words.caution,
    ...(bound === undefined
      ? {}
      : {
          footer: `<p class="soft" style="margin: 12px 0 0; font-size: 12px; line-height: 16px; color: #57606a;">${escapeHtml(bound)}</p>\n`,
        }),
  });
}
