import { postJson } from "../http/http-post.ts";
import type { Channel, CodeMessage } from "../outgoing-message.ts";
import { matchLanguage } from "../texts/match-language.ts";
import { whatsappNumber } from "./whatsapp-number.ts";
import { whatsappOutcome } from "./whatsapp-outcome.ts";

export interface WhatsappOptions {
  /** Such as `https://graph.facebook.com/v23.0`, without a slash at the end. */
  readonly apiUrl: string;
  readonly phoneNumberId: string;
  readonly token: string;
  /** The name of an approved template of category "authentication" with a copy-code button. */
  readonly template: string;
  /** The template's languages as WhatsApp names them (`en`, `pt_BR`), the default first. */
  readonly templateLanguages: readonly [string, ...string[]];
  /** Whether Meta reports deliveries to this server. Default: it does not. */
  readonly reportsDeliveries?: boolean;
  /** How long an answer may take. Default 10 s. */
  readonly timeoutMs?: number;
}

/** The name of the provider in recorded attempts. */
export const whatsappProvider = "whatsapp-cloud";

/** Marks our messages, so that their delivery reports can be told from those of other programs with the same number. */
export const whatsappMarker = "byond";

/** WhatsApp over Meta's Cloud API, with the template that shows the code and a button that copies it. */
export function createWhatsappChannel(options: WhatsappOptions): Channel {
  const url = `${options.apiUrl}/${encodeURIComponent(options.phoneNumberId)}/messages`;
  return {
    name: whatsappProvider,
    async send(message, { signal }) {
      const answer = await postJson({
        url,
        headers: { Authorization: `Bearer ${options.token}` },
        body: JSON.stringify(templateMessage(options, message)),
        signal,
        timeoutMs: options.timeoutMs ?? 10_000,
      });
      const outcome = whatsappOutcome(answer);
      return outcome.kind === "sent" && options.reportsDeliveries === true
        ? { ...outcome, awaitsReceipt: true }
        : outcome;
    },
  };
}

/** The request for an authentication template: the code stands in the text and again in the button. */
function templateMessage(options: WhatsappOptions, message: CodeMessage) {
  const code = [{ type: "text", text: message.code }];
  return {
    messaging_product: "whatsapp",
    recipient_type: "individual",
    to: whatsappNumber(message.recipient),
    type: "template",
    template: {
      name: options.template,
      language: { code: templateLanguage(options.templateLanguages, message.locale) },
      components: [
        { type: "body", parameters: code },
        { type: "button", sub_type: "url", index: "0", parameters: code },
      ],
    },
    biz_opaque_callback_data: whatsappMarker,
  };
}

/** The template's language that suits the locale best: the same, else that of our texts, else one of the same language, else the default. */
export function templateLanguage(languages: readonly [string, ...string[]], locale: string | undefined): string {
  const wanted = [locale ?? "", matchLanguage(locale) ?? ""].map((tag) => tag.replaceAll("-", "_").toLowerCase());
  const same = (candidate: string, tag: string) => candidate.toLowerCase() === tag;
  const sameLanguage = (candidate: string, tag: string) => candidate.toLowerCase().split("_")[0] === tag.split("_")[0];
  for (const matches of [same, sameLanguage]) {
    for (const tag of wanted) {
      const found = languages.find((candidate) => matches(candidate, tag));
      if (found !== undefined) {
        return found;
      }
    }
  }
  return languages[0];
}
