import type { CodeMessage } from "../outgoing-message.ts";
import { templateMail } from "../own-texts/fill-in-template.ts";
import { autofillLine } from "./autofill-line.ts";
import { paymentOf } from "./format-payment.ts";
import { textsFor } from "./languages.ts";
import { boundLine, codeRow, mailPage } from "./mail-page.ts";
import type { MessageTexts } from "./message-texts.ts";
import type { RenderedMail } from "./rendered-mail.ts";
import { timeLeft } from "./time-left.ts";

/** The mail with a code. `now` is when it is sent: the texts say how long the code is still valid. */
export function renderMail(message: CodeMessage, now: Date): RenderedMail {
  if (message.template !== undefined) {
    return templateMail(message, message.template, now);
  }
  const texts = textsFor(message.locale);
  const words = wordsOf(message, texts, timeLeft(texts, message.expiresAt, now));
  const subject = message.codeInSubject === true ? `${message.code} - ${words.subject}` : words.subject;
  return { subject, text: renderText(message, words), html: renderHtml(message, texts, words) };
}

interface MailWords {
  readonly subject: string;
  readonly preheader: string;
  /** Of a sandbox key's mail only. */
  readonly mark?: string;
  readonly heading: string;
  readonly instruction: string;
  readonly expiry: string;
  readonly caution: string;
}

function wordsOf(message: CodeMessage, texts: MessageTexts, time: string): MailWords {
  const { brand, resetsPasswordAt, approval } = message;
  const expiry = texts.expiry(time);
  const beside = {
    // Who reads the code in the subject need not open the mail.
    preheader: message.codeInSubject === true ? expiry : texts.preheader,
    expiry,
    ...(message.mode === "test" ? { mark: texts.sandbox } : {}),
  };
  if (approval !== undefined) {
    const { subject, heading, instruction, caution } = texts.approval;
    return {
      ...beside,
      subject: subject(brand),
      heading,
      instruction: instruction(paymentOf(texts, approval, "symbol")),
      caution: caution(brand),
    };
  }
  if (resetsPasswordAt === undefined) {
    return {
      ...beside,
      subject: texts.subject(brand),
      heading: texts.heading(brand),
      instruction: texts.instruction,
      caution: texts.caution(brand),
    };
  }
  const { reset } = texts;
  return {
    ...beside,
    subject: reset.subject(brand),
    heading: reset.heading,
    instruction: reset.instruction(brand, resetsPasswordAt),
    caution: reset.caution,
  };
}

function renderText(message: CodeMessage, words: MailWords): string {
  const bound = autofillLine(message);
  return [
    ...(words.mark === undefined ? [] : [words.mark, ""]),
    words.heading,
    "",
    words.instruction,
    "",
    `    ${message.code}`,
    "",
    words.expiry,
    "",
    words.caution,
    ...(bound === undefined ? [] : ["", bound]),
    "",
  ].join("\n");
}

function renderHtml(message: CodeMessage, { language, direction }: MessageTexts, words: MailWords): string {
  const bound = autofillLine(message);
  return mailPage({
    language,
    direction,
    title: words.subject,
    preheader: words.preheader,
    ...(words.mark === undefined ? {} : { mark: words.mark }),
    heading: words.heading,
    introduction: words.instruction,
    main: codeRow(message.code, words.expiry, direction),
    caution: words.caution,
    ...(bound === undefined ? {} : { footer: boundLine(bound, direction) }),
  });
}
