import type { CodeMessage } from "../outgoing-message.ts";
import { type MessageTexts, textsFor } from "./message-texts.ts";
import { minutesLeft } from "./minutes-left.ts";

/** A mail as people read it. */
export interface RenderedMail {
  readonly subject: string;
  readonly text: string;
  readonly html: string;
}

/** Words a code as a mail. `now` is when it is sent, for the time that is left. */
export function renderMail(message: CodeMessage, now: Date): RenderedMail {
  const texts = textsFor(message.locale);
  const minutes = minutesLeft(message.expiresAt, now);
  return {
    subject: texts.subject(message.brand),
    text: renderText(message, texts, minutes),
    html: renderHtml(message, texts, minutes),
  };
}

function renderText(message: CodeMessage, texts: MessageTexts, minutes: number): string {
  return [
    texts.heading(message.brand),
    "",
    texts.instruction(),
    "",
    `    ${message.code}`,
    "",
    texts.expiry(minutes),
    "",
    texts.caution(message.brand),
    ...autofillLines(message),
    "",
  ].join("\n");
}

/** The last line of the text, which binds the code to a domain (WICG "origin-bound one-time codes"). */
function autofillLines(message: CodeMessage): string[] {
  return message.autofillDomain === undefined ? [] : ["", `@${message.autofillDomain} #${message.code}`];
}

function renderHtml(message: CodeMessage, texts: MessageTexts, minutes: number): string {
  const brand = message.brand;
  const [bound] = autofillLines(message).slice(1);
  return `<!doctype html>
<html lang="${escapeHtml(texts.language)}" dir="${texts.direction}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="supported-color-schemes" content="light dark">
<title>${escapeHtml(texts.subject(brand))}</title>
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
<h1 class="strong" style="margin: 0; font-size: 20px; line-height: 28px; font-weight: 600; color: #14171a;">${escapeHtml(texts.heading(brand))}</h1>
<p class="soft" style="margin: 8px 0 0; font-size: 16px; line-height: 24px; color: #57606a;">${escapeHtml(texts.instruction())}</p>
</td></tr>
<tr><td style="padding: 24px 32px 0;">
<div class="code" dir="ltr" style="padding: 17px 0 15px; border-radius: 8px; background: #f2f4f6; color: #14171a; font-family: ui-monospace, SFMono-Regular, Menlo, Consolas, 'Liberation Mono', monospace; font-size: 32px; line-height: 40px; font-weight: 600; letter-spacing: 6px; text-indent: 6px; white-space: nowrap; text-align: center;">${escapeHtml(message.code)}</div>
<p class="soft" style="margin: 12px 0 0; font-size: 14px; line-height: 20px; text-align: center; color: #57606a;">${escapeHtml(texts.expiry(minutes))}</p>
</td></tr>
<tr><td style="padding: 24px 32px 32px;">
<p class="soft rule" style="margin: 0; padding-top: 20px; border-top: 1px solid #dfe3e8; font-size: 14px; line-height: 20px; color: #57606a;">${escapeHtml(texts.caution(brand))}</p>
${bound === undefined ? "" : `<p class="soft" style="margin: 12px 0 0; font-size: 12px; line-height: 16px; color: #57606a;">${escapeHtml(bound)}</p>\n`}</td></tr>
</table>
</td></tr>
</table>
</body>
</html>
`;
}

const entities: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => entities[character] ?? character);
}
