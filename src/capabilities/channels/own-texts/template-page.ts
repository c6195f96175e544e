import { escapeHtml } from "../../../server/html-template.ts";
import { preheaderHtml } from "../texts/mail-page.ts";
import { readableOn } from "./color-contrast.ts";
import type { MailColors } from "./message-template.ts";

/** What the server puts around the body of a mail of a workspace's own. */
interface MailDocument {
  /** BCP 47. */
  readonly language: string;
  readonly direction: "ltr" | "rtl" | "auto";
  readonly title: string;
  /** Follows the subject in lists of mails. */
  readonly preheader: string;
  readonly colors: MailColors;
  /** HTML. */
  readonly body: string;
  /** Says that it is a mail of the sandbox. */
  readonly mark: string | undefined;
  /** The last line: the domain and the code. */
  readonly bound: string | undefined;
}

const font = "-apple-system, BlinkMacSystemFont, 'Segoe UI', Roboto, Helvetica, Arial, sans-serif";
const codeFont = "ui-monospace, SFMono-Regular, Menlo, Consolas, 'Liberation Mono', monospace";

/** The whole HTML of a mail. Its colors are those of the template in dark mode, too: nobody knows what else could be read on them. */
export function mailDocument(page: MailDocument): string {
  const { language, direction, body, mark, bound } = page;
  const { background, text } = page.colors;
  const small = `margin: 0 0 16px; font-size: 12px; line-height: 16px; color: ${text};`;
  return `<!doctype html>
<html lang="${escapeHtml(language)}" dir="${direction}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light">
<meta name="supported-color-schemes" content="light">
<meta name="format-detection" content="telephone=no, date=no, address=no, email=no, url=no">
<title>${escapeHtml(page.title)}</title>
</head>
<body style="margin: 0; padding: 0; background-color: ${background};">
${preheaderHtml(page.preheader)}
<table role="presentation" width="100%" cellpadding="0" cellspacing="0" bgcolor="${background}" style="background-color: ${background};">
<tr><td align="center" style="padding: 32px 16px;">
<table role="presentation" lang="${escapeHtml(language)}" dir="${direction}" width="480" cellpadding="0" cellspacing="0" style="width: 100%; max-width: 480px; table-layout: fixed; overflow-wrap: break-word; word-break: break-word;">
<tr><td style="font-family: ${font}; font-size: 16px; line-height: 1.5; color: ${text};">
${mark === undefined ? "" : `<p style="${small}"><strong>${escapeHtml(mark)}</strong></p>\n`}${body}
${bound === undefined ? "" : `<p dir="ltr" style="${small}">${escapeHtml(bound)}</p>\n`}</td></tr>
</table>
</td></tr>
</table>
</body>
</html>
`;
}

/** HTML of the logo. */
export function logoHtml(brand: string): string {
  return `<p style="margin: 0 0 24px;"><img src="cid:logo" alt="${escapeHtml(brand)}" height="40" style="height: 40px; width: auto; max-width: 100%;"></p>`;
}

/** The code, so that it is found at a glance. */
export function codeBox(code: string, { accent }: MailColors): string {
  return `<div dir="ltr" style="margin: 0 0 16px; padding: 17px 0 15px; border-radius: 8px; background-color: ${accent}; color: ${readableOn(accent)}; font-family: ${codeFont}; font-size: 32px; line-height: 40px; font-weight: 600; letter-spacing: 6px; text-indent: 6px; white-space: nowrap; text-align: center;">${escapeHtml(code)}</div>`;
}
