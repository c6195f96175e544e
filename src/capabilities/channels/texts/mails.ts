import { escapeHtml } from "../../../server/html-template.ts";
import type { CodeMessage } from "../outgoing-message.ts";
import { textsFor } from "./languages.ts";
import type { MessageTexts } from "./message-texts.ts";
import { timeLeft } from "./time-left.ts";

/** A mail, ready to send. */
export interface RenderedMail {
  readonly subject: string;
  readonly text: string;
  readonly html: string;
}

/** The mail with a code. `now` is when it is sent: the texts say how long the code is still valid. */
export function renderMail(message: CodeMessage, now: Date): RenderedMail {
  const texts = textsFor(message.locale);
  const words = wordsOf(message, texts, timeLeft(texts, message.expiresAt, now));
  const subject = message.codeInSubject === true ? `${message.code} - ${words.subject}` : words.subject;
  return { subject, text: renderText(message, words), html: renderHtml(message, texts, words) };
}

interface MailWords {
  readonly subject: string;
  readonly heading: string;
  readonly instruction: string;
  readonly expiry: string;
  readonly caution: string;
}

function wordsOf({ brand, resetsPasswordAt }: CodeMessage, texts: MessageTexts, time: string): MailWords {
  const expiry = texts.expiry(time);
  if (resetsPasswordAt === undefined) {
    return {
      subject: texts.subject(brand),
      heading: texts.heading(brand),
      instruction: texts.instruction,
      expiry,
      caution: texts.caution(brand),
    };
  }
  const { reset } = texts;
  return {
    subject: reset.subject(brand),
    heading: reset.heading,
    instruction: reset.instruction(brand, resetsPasswordAt),
    expiry,
    caution: reset.caution,
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

/** The last line of the text, which binds the code to a domain (WICG, "Origin-bound one-time codes"). */
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

const moment = new Intl.DateTimeFormat("en-GB", { dateStyle: "long", timeStyle: "short", timeZone: "UTC" });

/** The mail that an account ends soon because its address is not verified. */
export function renderAccountEnding({ endsAt, url }: { readonly endsAt: Date; readonly url: string }): RenderedMail {
  const texts = {
    title: "Your Byond account ends tomorrow",
    heading: "Your account ends tomorrow",
    introduction: `Somebody made an account with this mail address at ${url}. The address is not verified, so the account, its sessions and its API keys end on ${moment.format(endsAt)} UTC.`,
    remedy: `To keep it, sign in and verify the address: ask for a code with POST ${url}/api/v1/auth/verify-email.`,
    caution: "If you did not make this account, do nothing: it will be deleted.",
  };
  return {
    subject: texts.title,
    text: [texts.heading, "", texts.introduction, "", texts.remedy, "", texts.caution, ""].join("\n"),
    html: mailPage({
      language: "en",
      direction: "ltr",
      ...texts,
      main: `<tr><td style="padding: 16px 32px 0;">
<p class="strong" style="margin: 0; font-size: 16px; line-height: 24px; color: #14171a;">${escapeHtml(texts.remedy)}</p>
</td></tr>`,
    }),
  };
}

/** The mail to the owner of a workspace whose webhook the server has disabled. */
export function renderWebhookDisabled(webhook: {
  readonly id: string;
  readonly endpointUrl: string;
  /** It answered that it is gone for good; otherwise it failed for too long. */
  readonly isGone: boolean;
  readonly url: string;
}): RenderedMail {
  const cause = webhook.isGone
    ? "it answered with status 410, which means that it is gone for good"
    : "no delivery to it succeeded for five days";
  const texts = {
    title: "A webhook of yours was disabled",
    heading: "A webhook was disabled",
    introduction: `The webhook ${webhook.id}, which sends events to ${webhook.endpointUrl}, was disabled: ${cause}.`,
    remedy: `To enable it again, send {"enabled": true} with PATCH ${webhook.url}/api/v1/webhooks/${webhook.id}. What its last deliveries were answered with is at GET ${webhook.url}/api/v1/webhooks/${webhook.id}/deliveries; the events that it missed are at GET ${webhook.url}/api/v1/events.`,
    caution: "If you do not need the webhook any more, do nothing.",
  };
  return {
    subject: texts.title,
    text: [texts.heading, "", texts.introduction, "", texts.remedy, "", texts.caution, ""].join("\n"),
    html: mailPage({
      language: "en",
      direction: "ltr",
      ...texts,
      main: `<tr><td style="padding: 16px 32px 0;">
<p class="strong" style="margin: 0; font-size: 16px; line-height: 24px; color: #14171a;">${escapeHtml(texts.remedy)}</p>
</td></tr>`,
    }),
  };
}

/** The parts of a mail, for the layout that all mails share. */
interface MailPage {
  /** BCP 47. */
  readonly language: string;
  readonly direction: "ltr" | "rtl";
  readonly title: string;
  readonly heading: string;
  readonly introduction: string;
  /** HTML, between the introduction and the caution. */
  readonly main: string;
  readonly caution: string;
  /** HTML below the caution. */
  readonly footer?: string;
}

/** The HTML of a mail. Texts are escaped; the parts documented as HTML are not. */
function mailPage(page: MailPage): string {
  return `<!doctype html>
<html lang="${escapeHtml(page.language)}" dir="${page.direction}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="supported-color-schemes" content="light dark">
<meta name="format-detection" content="telephone=no, date=no, address=no, email=no, url=no">
<title>${escapeHtml(page.title)}</title>
<style>
:root { color-scheme: light dark; }
@media (prefers-color-scheme: dark) {
  .page { background: #101214 !important; }
  .card { background: #1a1d21 !important; border-color: #2c3137 !important; }
  .strong { color: #f2f4f6 !important; }
  .soft { color: #a4adb6 !important; }
  .code { background: #24292e !important; color: #ffffff !important; }
  .rule { border-color: #2c3137 !important; }
}
</style>
</head>
<body class="page" style="margin: 0; padding: 0; background: #f2f4f6;">
<table role="presentation" class="page" width="100%" cellpadding="0" cellspacing="0" style="background: #f2f4f6;">
<tr><td align="center" style="padding: 32px 16px;">
<table role="presentation" class="card" width="480" cellpadding="0" cellspacing="0" style="width: 100%; max-width: 480px; table-layout: fixed; overflow-wrap: break-word; word-break: break-word; background: #ffffff; border: 1px solid #dfe3e8; border-radius: 12px; font-family: -apple-system, BlinkMacSystemFont, 'Segoe UI', Roboto, Helvetica, Arial, sans-serif;">
<tr><td style="padding: 32px 32px 0;">
<h1 class="strong" style="margin: 0; font-size: 20px; line-height: 28px; font-weight: 600; color: #14171a;">${escapeHtml(page.heading)}</h1>
<p class="soft" style="margin: 8px 0 0; font-size: 16px; line-height: 24px; color: #57606a;">${escapeHtml(page.introduction)}</p>
</td></tr>
${page.main}
<tr><td style="padding: 24px 32px 32px;">
<p class="soft rule" style="margin: 0; padding-top: 20px; border-top: 1px solid #dfe3e8; font-size: 14px; line-height: 20px; color: #57606a;">${escapeHtml(page.caution)}</p>
${page.footer ?? ""}</td></tr>
</table>
</td></tr>
</table>
</body>
</html>
`;
}
