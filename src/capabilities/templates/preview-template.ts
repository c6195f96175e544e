import type { Mode } from "../../access/caller.ts";
import type { Clock } from "../../clock.ts";
import type { CodeMessage } from "../channels/outgoing-message.ts";
import type { MailLogo, MessageTemplate } from "../channels/own-texts/message-template.ts";
import { providerText, templateInUse } from "../channels/provider-text.ts";
import { countSegments } from "../channels/sms-text/segments.ts";
import { renderMail } from "../channels/texts/mails.ts";
import { defaultLocale, type TemplateChannel } from "./compile-template.ts";
import type { TemplateStore } from "./template-store.ts";

export interface PreviewInput {
  readonly workspaceId: string;
  readonly mode: Mode;
  readonly channel: TemplateChannel;
  readonly locale: string;
  /** Undefined: what is sent today. */
  readonly draft: MessageTemplate | undefined;
  readonly brand: string;
  /** Whether the message approves a payment. A draft says so by its placeholders. */
  readonly isForApproval: boolean;
}

export interface Preview {
  /** Of the template. Undefined: it is the server's text. */
  readonly templateLocale: string | undefined;
  readonly subject?: string;
  readonly text: string;
  readonly html?: string;
  readonly segments?: number;
}

const exampleCode = "123456";
const exampleTtlMs = 300_000;
const exampleApproval = { payee: "Example Books", amount: { value: "249.90", currency: "EUR" } };

/** The message of a draft or of a stored template, as a recipient gets it. */
export async function previewTemplate(
  { templates, clock }: { readonly templates: Pick<TemplateStore, "find">; readonly clock: Pick<Clock, "now"> },
  { workspaceId, mode, channel, locale, draft, brand, ...input }: PreviewInput,
): Promise<Preview> {
  const asked = locale === defaultLocale ? undefined : locale;
  const isForApproval = draft?.isForApproval ?? input.isForApproval;
  const template = draft ?? (await templates.find({ workspaceId, mode, channel, locale: asked, isForApproval }));
  const now = clock.now();
  const message: CodeMessage = {
    workspaceId,
    mode,
    channel,
    recipient: "",
    code: exampleCode,
    brand,
    createdAt: now,
    expiresAt: new Date(now.getTime() + exampleTtlMs),
    ...(asked === undefined ? {} : { locale: asked }),
    ...(isForApproval ? { approval: exampleApproval } : {}),
    ...(template === undefined ? {} : { template }),
  };
  const used = templateInUse(message, now);
  return { templateLocale: used && (used.locale ?? defaultLocale), ...shown(message, now) };
}

function shown(message: CodeMessage, now: Date): Omit<Preview, "templateLocale"> {
  if (message.channel === "email") {
    const { subject, text, html, logo } = renderMail(message, now);
    return { subject, text, html: logo === undefined ? html : withPicture(html, logo) };
  }
  const text = providerText(message, now);
  return message.channel === "sms" ? { text, segments: countSegments(text) } : { text };
}

/** A part of a mail cannot be shown outside of it. */
function withPicture(html: string, { mediaType, bytes }: MailLogo): string {
  return html.replaceAll('src="cid:logo"', `src="data:${mediaType};base64,${bytes.toString("base64")}"`);
}
