import { escapeHtml } from "../../../server/html-template.ts";

/** The parts of a mail, for the layout that all mails share. */
export interface MailPage {
  /** BCP 47. */
  readonly language: string;
  readonly direction: "ltr" | "rtl";
  readonly title: string;
  /** Follows the subject in lists of mails. */
  readonly preheader: string;
  /** Above everything else. */
  readonly mark?: string;
  readonly heading: string;
  readonly introduction: string;
  /** HTML, between the introduction and the caution. */
  readonly main: string;
  readonly caution: string;
  /** HTML below the caution. */
  readonly footer?: string;
}

/** Lists of mails show what follows the preheader too, up to some 200 characters: the code is not to be among it. */
const nothingToRead = "&#8199;&#847;".repeat(90);

/**
 * The HTML of a mail. Texts are escaped; the parts documented as HTML are not.
 *
 * Gmail drops the elements `html` and `body`, so the language and the direction are said of the table as well.
 */
export function mailPage(page: MailPage): string {
  const spoken = `lang="${escapeHtml(page.language)}" dir="${page.direction}"`;
  return `<!doctype html>
<html ${spoken}>
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="supported-color-schemes" content="light dark">
<meta name="format-detection" content="telephone=no, date=no, address=no, email=no, url=no">
<title>${escapeHtml(page.title)}</title>
<style>
:root { color-scheme: light dark; }
@media (max-width: 480px) {
  .around { padding: 12px !important; }
  .side { padding-left: 20px !important; padding-right: 20px !important; }
}
@media (prefers-color-scheme: dark) {
  .page { background: #101214 !important; }
  .card { background: #1a1d21 !important; border-color: #2c3137 !important; }
  .strong { color: #f2f4f6 !important; }
  .soft { color: #a4adb6 !important; }
  .code { background: #24292e !important; color: #ffffff !important; }
  .rule { border-color: #2c3137 !important; }
  .mark { background: #3a2f10 !important; color: #f5d98b !important; }
}
</style>
</head>
<body class="page" style="margin: 0; padding: 0; background: #f2f4f6;">
${preheaderHtml(page.preheader)}
<table role="presentation" class="page" width="100%" cellpadding="0" cellspacing="0" style="background: #f2f4f6;">
<tr><td align="center" class="around" style="padding: 32px 16px;">
<table role="presentation" class="card" ${spoken} width="480" cellpadding="0" cellspacing="0" style="width: 100%; max-width: 480px; table-layout: fixed; overflow-wrap: break-word; word-break: ${wordBreaks[page.language] ?? "break-word"}; text-wrap: pretty; text-align: ${startOf(page.direction)}; background: #ffffff; border: 1px solid #dfe3e8; border-radius: 12px; font-family: -apple-system, BlinkMacSystemFont, 'Segoe UI', Roboto, Helvetica, Arial, sans-serif;">
${page.mark === undefined ? "" : markRow(page.mark)}<tr><td class="side" style="padding: ${page.mark === undefined ? 32 : 24}px 32px 0;">
<h1 class="strong" style="margin: 0; font-size: 20px; line-height: 28px; font-weight: 600; color: #14171a;">${escapeHtml(page.heading)}</h1>
<p class="strong" style="margin: 8px 0 0; font-size: 16px; line-height: 24px; color: #14171a;">${escapeHtml(page.introduction)}</p>
</td></tr>
${page.main}
<tr><td class="side" style="padding: 24px 32px 32px;">
<p class="soft rule" style="margin: 0; padding-top: 20px; border-top: 1px solid #dfe3e8; font-size: 14px; line-height: 20px; color: #57606a;">${escapeHtml(page.caution)}</p>
${page.footer ?? ""}</td></tr>
</table>
</td></tr>
</table>
</body>
</html>
`;
}

/** The HTML of what follows the subject in lists of mails. It is the first in the body. */
export function preheaderHtml(preheader: string): string {
  return `<div style="display: none; max-height: 0; overflow: hidden; mso-hide: all;">${escapeHtml(preheader)}${nothingToRead}</div>`;
}

function markRow(mark: string): string {
  return `<tr><td class="side mark" style="padding: 10px 32px; border-radius: 11px 11px 0 0; background: #fff1c9; font-size: 14px; line-height: 20px; color: #5c4400;">${escapeHtml(mark)}</td></tr>
`;
}

const monospace = "ui-monospace, SFMono-Regular, Menlo, Consolas, 'Liberation Mono', monospace";

/** The row with a code, and what is said of it below. */
export function codeRow(code: string, note: string, direction: MailPage["direction"]): string {
  return `<tr><td class="side" style="padding: 24px 32px 0;">
<div class="code" dir="ltr" style="padding: 14px 20px; border-radius: 8px; background: #f2f4f6; color: #14171a; font-family: ${monospace}; font-size: 30px; line-height: 40px; font-weight: 600; letter-spacing: 4px; white-space: nowrap; text-align: ${startOf(direction)};">${escapeHtml(code)}</div>
<p class="soft" style="margin: 12px 0 0; font-size: 14px; line-height: 20px; color: #57606a;">${escapeHtml(note)}</p>
</td></tr>`;
}

/** Something that the reader can do. */
export interface MailStep {
  readonly words: string;
  /** A call of the API. */
  readonly request: string;
}

/** The row with what the reader can do. */
export function stepsRow(steps: readonly MailStep[]): string {
  const lines = steps.map(
    ({
      words,
      request,
    }) => `<p class="strong" style="margin: 16px 0 4px; font-size: 16px; line-height: 24px; color: #14171a;">${escapeHtml(words)}</p>
<div class="code" style="padding: 8px 12px; border-radius: 8px; background: #f2f4f6; color: #14171a; font-family: ${monospace}; font-size: 13px; line-height: 20px;">${escapeHtml(request)}</div>`,
  );
  return `<tr><td class="side" style="padding: 0 32px;">
${lines.join("\n")}
</td></tr>`;
}

/** A line for programs, below the caution. */
export function boundLine(line: string, direction: MailPage["direction"]): string {
  return `<p class="soft" dir="ltr" style="margin: 12px 0 0; font-size: 12px; line-height: 16px; text-align: ${startOf(direction)}; color: #57606a;">${escapeHtml(line)}</p>
`;
}

/**
 * Lines end between words, which Korean separates by spaces, and Japanese does not: browsers that do not know its words break it anywhere. Names
 * that are too long for a line are broken in every language (`overflow-wrap`).
 */
const wordBreaks: Readonly<Record<string, string>> = { ko: "keep-all", ja: "auto-phrase" };

/** `start`, for mail programs that do not know the word. */
function startOf(direction: MailPage["direction"]): "left" | "right" {
  return direction === "rtl" ? "right" : "left";
}
