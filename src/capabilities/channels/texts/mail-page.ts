/** What every mail of ours looks like. */
export interface MailPage {
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

/** A mail as an HTML page that mail programs show. Texts are escaped; what is named HTML is not. */
export function mailPage(page: MailPage): string {
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

const entities: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

/** Text as HTML shows it. */
export function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => entities[character] ?? character);
}
