import { parseSmtpUrl } from "../delivery/smtp-url.ts";
import type { EnvironmentReader } from "./environment-reader.ts";

/** Who carries the codes. A channel without a provider goes to the local inbox where there is one, or is unavailable. */
export interface DeliveryConfig {
  readonly smtp: { readonly url: string; readonly from: string; readonly replyTo?: string } | undefined;
  readonly whatsapp:
    | {
        readonly apiUrl: string;
        readonly phoneNumberId: string;
        readonly token: string;
        readonly template: string;
        readonly templateLanguages: readonly [string, ...string[]];
      }
    | undefined;
  /** Where WhatsApp's reports of messages arrive. Undefined: nowhere. */
  readonly whatsappWebhook: { readonly appSecret: string; readonly verifyToken: string } | undefined;
  readonly smsProviderUrl: string | undefined;
  readonly voiceProviderUrl: string | undefined;
  /** Signs the requests to both. */
  readonly providerSecret: string | undefined;
}

const defaultWhatsappApiUrl = "https://graph.facebook.com/v23.0";
const webProtocols = ["http:", "https:"];

export function readDeliveryConfig(reader: EnvironmentReader): DeliveryConfig {
  const smsProviderUrl = reader.url("SMS_PROVIDER_URL", webProtocols);
  const voiceProviderUrl = reader.url("VOICE_PROVIDER_URL", webProtocols);
  return {
    smtp: readSmtp(reader),
    whatsapp: readWhatsapp(reader),
    whatsappWebhook: readWhatsappWebhook(reader),
    smsProviderUrl,
    voiceProviderUrl,
    providerSecret: readProviderSecret(reader, smsProviderUrl !== undefined || voiceProviderUrl !== undefined),
  };
}

function readSmtp(reader: EnvironmentReader): DeliveryConfig["smtp"] {
  const url = reader.url("SMTP_URL", ["smtp:", "smtps:"]);
  if (url === undefined) {
    return undefined;
  }
  try {
    parseSmtpUrl(url);
  } catch (error) {
    // The reader has told already of one that is no URL at all. The message names no password.
    if (URL.canParse(url) && error instanceof TypeError) {
      reader.problems.push(`SMTP_URL: ${error.message}`);
    }
  }
  const replyTo = reader.text("MAIL_REPLY_TO");
  return { url, from: reader.needed("MAIL_FROM", "SMTP_URL"), ...(replyTo === undefined ? {} : { replyTo }) };
}

function readWhatsapp(reader: EnvironmentReader): DeliveryConfig["whatsapp"] {
  const token = reader.text("WHATSAPP_TOKEN");
  if (token === undefined) {
    return undefined;
  }
  const [language = "en", ...languages] = reader.list("WHATSAPP_TEMPLATE_LANGUAGES");
  return {
    apiUrl: (reader.url("WHATSAPP_API_URL", webProtocols) ?? defaultWhatsappApiUrl).replace(/\/+$/, ""),
    phoneNumberId: matching(reader, "WHATSAPP_PHONE_NUMBER_ID", /^\d+$/, "digits"),
    token,
    template: matching(reader, "WHATSAPP_TEMPLATE", /^[a-z0-9_]+$/, "lower-case letters, digits and underscores"),
    templateLanguages: [language, ...languages],
  };
}

function matching(reader: EnvironmentReader, name: string, pattern: RegExp, form: string): string {
  const text = reader.needed(name, "WHATSAPP_TOKEN");
  if (text !== "" && !pattern.test(text)) {
    reader.problems.push(`${name} must consist of ${form}`);
  }
  return text;
}

function readWhatsappWebhook(reader: EnvironmentReader): DeliveryConfig["whatsappWebhook"] {
  const appSecret = reader.text("WHATSAPP_APP_SECRET");
  return appSecret === undefined
    ? undefined
    : { appSecret, verifyToken: reader.needed("WHATSAPP_VERIFY_TOKEN", "WHATSAPP_APP_SECRET") };
}

function readProviderSecret(reader: EnvironmentReader, isNeeded: boolean): string | undefined {
  if (!isNeeded) {
    return undefined;
  }
  const secret = reader.needed("PROVIDER_SECRET", "SMS_PROVIDER_URL and VOICE_PROVIDER_URL");
  if (secret !== "" && Buffer.byteLength(secret) < 32) {
    reader.problems.push("PROVIDER_SECRET must be 32 bytes or longer");
  }
  return secret;
}
