import type { ServerFacts, StartDescription, StartNotice } from "../../capability.ts";
import type { ChannelSettings } from "./channel-settings.ts";
import { parseSmtpUrl } from "./email/smtp-url.ts";

/** With what accounts are set to, where the server has accounts. */
type DescribedSettings = ChannelSettings & { readonly signUp?: "open" | "closed" };

/** What carries each channel, by its origin, and which channels are unavailable. */
export function describeChannels(settings: DescribedSettings, { isPublic }: ServerFacts): StartDescription {
  const { smtp, whatsapp, whatsappWebhook, smsProviderUrl, voiceProviderUrl } = settings.delivery;
  const withoutProvider = settings.inbox === "all" ? "inbox" : "unavailable";
  const sendsReally = whatsapp !== undefined || smsProviderUrl !== undefined || voiceProviderUrl !== undefined;
  const notices: StartNotice[] = [];
  if (isPublic && smtp === undefined) {
    notices.push({ level: "info", event: "email is unavailable", settings: ["SMTP_URL", "MAIL_FROM"] });
  }
  if (isPublic && whatsapp === undefined) {
    notices.push({ level: "info", event: "whatsapp is unavailable", settings: ["WHATSAPP_TOKEN"] });
  }
  if (settings.signUp === "open" && sendsReally && smtp === undefined && settings.inbox !== "all") {
    notices.push({
      level: "warn",
      event: "nobody can prove an address, and so use the live keys of a new account: no mail is sent",
      settings: ["SMTP_URL", "MAIL_FROM"],
    });
  }
  return {
    fields: {
      channels: {
        email: smtp === undefined ? withoutProvider : originOfSmtp(smtp.url),
        whatsapp: whatsapp === undefined ? withoutProvider : new URL(whatsapp.apiUrl).origin,
        sms: smsProviderUrl === undefined ? "unavailable" : new URL(smsProviderUrl).origin,
        voice: voiceProviderUrl === undefined ? "unavailable" : new URL(voiceProviderUrl).origin,
      },
      whatsapp_webhook: whatsappWebhook !== undefined,
    },
    notices,
  };
}

function originOfSmtp(url: string): string {
  const { host, port, secure } = parseSmtpUrl(url);
  return `${secure ? "smtps" : "smtp"}://${host}:${port}`;
}
