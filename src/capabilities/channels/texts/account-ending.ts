import type { RenderedMail } from "./mail.ts";
import { escapeHtml, mailPage } from "./mail-page.ts";

const moment = new Intl.DateTimeFormat("en-GB", { dateStyle: "long", timeStyle: "short", timeZone: "UTC" });

/** Words the news that an account whose address is not verified ends soon, for whoever reads mail at the address. */
export function renderAccountEnding({ endsAt, url }: { readonly endsAt: Date; readonly url: string }): RenderedMail {
  const texts = {
    title: "Your Byond account ends tomorrow",
    heading: "Your account ends tomorrow",
    introduction: `Somebody made an account with this mail address at ${url}. The address is not verified, so the account, its sessions and its API keys end on ${moment.format(endsAt)} UTC.`,
    remedy: `To keep it, sign in and verify the address: ask for a code with POST ${url}/api/v1/auth/verify-email.`,
    caution: "If you did not make this account, do nothing: it goes by itself.",
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
