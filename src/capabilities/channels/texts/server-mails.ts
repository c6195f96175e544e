import { type MailStep, mailPage, stepsRow } from "./mail-page.ts";
import type { RenderedMail } from "./rendered-mail.ts";

const moment = new Intl.DateTimeFormat("en-GB", { dateStyle: "long", timeStyle: "short", timeZone: "UTC" });

/** The mail that an account ends soon because its address is not verified. */
export function renderAccountEnding({ endsAt, url }: { readonly endsAt: Date; readonly url: string }): RenderedMail {
  return render({
    title: "Your Byond account ends tomorrow",
    preheader: "Its mail address is not verified. To keep the account, verify the address.",
    heading: "Your account ends tomorrow",
    introduction: `Somebody made an account with this mail address at ${url}. The address is not verified, so the account, its sessions and its API keys end on ${moment.format(endsAt)} UTC.`,
    steps: [
      {
        words: "To keep it, sign in and verify the address. This asks for a code:",
        request: `POST ${url}/api/v1/auth/verify-email`,
      },
    ],
    caution: "If you did not make this account, do nothing: it will be deleted.",
  });
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
  const address = `${webhook.url}/api/v1/webhooks/${webhook.id}`;
  return render({
    title: "A webhook of yours was disabled",
    preheader: `Events are no longer sent to ${webhook.endpointUrl}.`,
    heading: "A webhook was disabled",
    introduction: `The webhook ${webhook.id}, which sends events to ${webhook.endpointUrl}, was disabled: ${cause}.`,
    steps: [
      { words: "To enable it again:", request: `PATCH ${address} {"enabled": true}` },
      { words: "What its last deliveries were answered with:", request: `GET ${address}/deliveries` },
      { words: "The events that it missed:", request: `GET ${webhook.url}/api/v1/events` },
    ],
    caution: "If you do not need the webhook any more, do nothing.",
  });
}

/** The texts of a mail of the server's own. They are in English only: operators and developers read them. */
interface ServerMail {
  readonly title: string;
  readonly preheader: string;
  readonly heading: string;
  readonly introduction: string;
  readonly steps: readonly MailStep[];
  readonly caution: string;
}

function render(texts: ServerMail): RenderedMail {
  const { title, heading, introduction, steps, caution } = texts;
  const lines = steps.flatMap(({ words, request }) => [words, "", `    ${request}`, ""]);
  return {
    subject: title,
    text: [heading, "", introduction, "", ...lines, caution, ""].join("\n"),
    html: mailPage({ language: "en", direction: "ltr", ...texts, main: stepsRow(steps) }),
  };
}
