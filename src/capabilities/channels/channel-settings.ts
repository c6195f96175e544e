import type { ServerFacts, StartDescription, StartNotice } from "../../capability.ts";
import type { EnvironmentReader } from "../../config/environment-reader.ts";
import { type SettingNames, settingGroup } from "../../config/setting-group.ts";
import { parseSmtpUrl } from "./email/smtp-url.ts";
import type { ChannelName } from "./outgoing-message.ts";
import type { ProviderChannel } from "./provider-kind.ts";
import { type ConfiguredProvider, readProviderList } from "./provider-list.ts";

/** The provider of each channel. A channel without a provider goes to the inbox, or is unavailable if there is none. */
export interface DeliveryConfig {
  readonly smtp:
    | { readonly url: string; readonly from: string; readonly replyTo?: string; readonly bouncesTo?: string }
    | undefined;
  readonly whatsapp:
    | {
        readonly apiUrl: string;
        readonly phoneNumberId: string;
        readonly token: string;
        readonly template: string;
        readonly templateLanguages: readonly [string, ...string[]];
      }
    | undefined;
  /** The webhook for WhatsApp's delivery reports. Undefined: no webhook. */
  readonly whatsappWebhook: { readonly appSecret: string; readonly verifyToken: string } | undefined;
  /** In order of preference. */
  readonly sms: readonly ConfiguredProvider[];
  readonly voice: readonly ConfiguredProvider[];
}

const defaultWhatsappApiUrl = "https://graph.facebook.com/v23.0";

export interface ChannelSettings {
  readonly delivery: DeliveryConfig;
  /**
   * Which messages go to the inbox (`/dev/inbox`): those of sandbox keys, and with `all` also live mail and WhatsApp
   * messages without a provider.
   */
  readonly inbox: "all" | "sandbox" | "none";
}

const mailSettings = settingGroup("Mail", {
  SMTP_URL: {
    default: "none",
    meaning:
      "URL of the mail server: `smtps://user:password@mail.example.com`. Requires `MAIL_FROM`. Unset: mail goes to the inbox; on a public server `email` is unavailable.",
    isSecret: true,
  },
  MAIL_FROM: { default: "none", meaning: "Sender of the mails: `Acme <no-reply@acme.example>`." },
  MAIL_REPLY_TO: { default: "none", meaning: "Address for replies. Unset: replies go to `MAIL_FROM`." },
  MAIL_BOUNCES_TO: {
    default: "none",
    meaning:
      "Address to which mail comes back that could not be delivered. Unset: to `MAIL_FROM`. `BOUNCES_URL` reads its mailbox.",
  },
});

const whatsappSettings = settingGroup("WhatsApp", {
  WHATSAPP_TOKEN: {
    default: "none",
    meaning:
      "Access token of the WhatsApp Cloud API. Requires `WHATSAPP_PHONE_NUMBER_ID` and `WHATSAPP_TEMPLATE`. Unset: messages go to the inbox; on a public server `whatsapp` is unavailable.",
    isSecret: true,
  },
  WHATSAPP_PHONE_NUMBER_ID: { default: "none", meaning: "Meta's id of the phone number that sends." },
  WHATSAPP_TEMPLATE: { default: "none", meaning: "Name of the authentication template at Meta." },
  WHATSAPP_TEMPLATE_LANGUAGES: {
    default: "`en`",
    meaning: "Languages of the template, as Meta writes them, the default first: `en,pt_BR`.",
  },
  WHATSAPP_API_URL: { default: "Meta's", meaning: "Base URL of the WhatsApp Cloud API, with its version." },
  WHATSAPP_APP_SECRET: {
    default: "none",
    meaning:
      "App secret with which Meta signs delivery reports. Together with `WHATSAPP_VERIFY_TOKEN` it enables `/webhooks/whatsapp`.",
    isSignOfProduction: true,
    isSecret: true,
  },
  WHATSAPP_VERIFY_TOKEN: {
    default: "none",
    meaning: "Verify token that you enter at Meta when you register the webhook.",
    isSecret: true,
  },
});

const providerSettings = settingGroup("SMS and voice", {
  SMS_URL: {
    default: "none",
    meaning:
      "Providers of text messages as URLs, separated by commas or spaces, the preferred one first: `twilio://SID:TOKEN@?from=+15550100`, or `https://…` for an adapter of your own. Unset: `sms` is unavailable.",
    isSecret: true,
  },
  VOICE_URL: {
    default: "none",
    meaning: "Providers of calls, in the same form. Unset: `voice` is unavailable.",
    isSecret: true,
  },
  PROVIDER_SECRET: {
    default: "none",
    meaning:
      "Secret that signs the requests to adapters of your own and their reports, 32 bytes or more. Required with such an adapter.",
    isSecret: true,
  },
});

export const channelSettings = [mailSettings, whatsappSettings, providerSettings] as const;

type Reader = EnvironmentReader<SettingNames<(typeof channelSettings)[number]>>;

export function readChannelSettings(reader: Reader, { isPublic, isEmbedded }: ServerFacts): ChannelSettings {
  const whatsapp = readWhatsapp(reader);
  return {
    delivery: {
      smtp: readSmtp(reader),
      whatsapp,
      whatsappWebhook: readWhatsappWebhook(reader),
      ...readProviders(reader),
    },
    // The inbox is in the memory of one server: others would not show its messages.
    inbox: isPublic ? (isEmbedded ? "sandbox" : "none") : "all",
  };
}

function readSmtp(reader: Reader): DeliveryConfig["smtp"] {
  const group = reader.group(["SMTP_URL", "MAIL_FROM"], ["MAIL_REPLY_TO", "MAIL_BOUNCES_TO"]);
  if (group === undefined) {
    return undefined;
  }
  try {
    parseSmtpUrl(group.SMTP_URL);
  } catch (error) {
    // `reader.group` has reported a missing URL. The message does not contain the password.
    if (group.SMTP_URL !== "" && error instanceof TypeError) {
      reader.problems.push(`SMTP_URL: ${error.message}`);
    }
  }
  const replyTo = reader.text("MAIL_REPLY_TO");
  for (const name of ["MAIL_FROM", "MAIL_REPLY_TO"] as const) {
    const text = reader.text(name);
    if (text !== undefined && !mailbox.test(text)) {
      reader.problems.push(`${name} must be one address, such as Acme <no-reply@acme.example>`);
    }
  }
  const bouncesTo = reader.text("MAIL_BOUNCES_TO");
  if (bouncesTo !== undefined && !bareAddress.test(bouncesTo)) {
    reader.problems.push("MAIL_BOUNCES_TO must be an address without a name, such as bounces@acme.example");
  }
  return {
    url: group.SMTP_URL,
    from: group.MAIL_FROM,
    ...(replyTo === undefined ? {} : { replyTo }),
    ...(bouncesTo === undefined ? {} : { bouncesTo }),
  };
}

const bareAddress = /^[^\s<>@,]+@[^\s<>@,]+$/;

/** An address, alone or in angle brackets after a name. */
const mailbox = /^(?:[^<>]*<[^\s<>@,]+@[^\s<>@,]+>|[^\s<>@,]+@[^\s<>@,]+)$/;

function readWhatsapp(reader: Reader): DeliveryConfig["whatsapp"] {
  const group = reader.group(
    ["WHATSAPP_TOKEN", "WHATSAPP_PHONE_NUMBER_ID", "WHATSAPP_TEMPLATE"],
    ["WHATSAPP_TEMPLATE_LANGUAGES", "WHATSAPP_API_URL"],
  );
  if (group === undefined) {
    return undefined;
  }
  checkForm(reader, "WHATSAPP_PHONE_NUMBER_ID", /^\d+$/, "digits");
  checkForm(reader, "WHATSAPP_TEMPLATE", /^[a-z0-9_]+$/, "lower-case letters, digits and underscores");
  const [language = "en", ...languages] = reader.list("WHATSAPP_TEMPLATE_LANGUAGES");
  if (![language, ...languages].every((each) => /^[a-z]{2,3}(_[A-Z0-9]{2,3})?$/.test(each))) {
    reader.problems.push("WHATSAPP_TEMPLATE_LANGUAGES must be languages as Meta writes them, such as en,pt_BR");
  }
  return {
    apiUrl: (reader.webUrl("WHATSAPP_API_URL") ?? defaultWhatsappApiUrl).replace(/\/+$/, ""),
    phoneNumberId: group.WHATSAPP_PHONE_NUMBER_ID,
    token: group.WHATSAPP_TOKEN,
    template: group.WHATSAPP_TEMPLATE,
    templateLanguages: [language, ...languages],
  };
}

function checkForm(reader: Reader, name: Parameters<Reader["text"]>[0], pattern: RegExp, form: string): void {
  const text = reader.text(name);
  if (text !== undefined && !pattern.test(text)) {
    reader.problems.push(`${name} must consist of ${form}`);
  }
}

function readWhatsappWebhook(reader: Reader): DeliveryConfig["whatsappWebhook"] {
  const group = reader.group(["WHATSAPP_APP_SECRET", "WHATSAPP_VERIFY_TOKEN"]);
  if (group === undefined) {
    return undefined;
  }
  // Reports are about messages sent with the token.
  reader.require("WHATSAPP_TOKEN", ["WHATSAPP_APP_SECRET"]);
  return { appSecret: group.WHATSAPP_APP_SECRET, verifyToken: group.WHATSAPP_VERIFY_TOKEN };
}

function readProviders(reader: Reader): Pick<DeliveryConfig, "sms" | "voice"> {
  const secret = reader.text("PROVIDER_SECRET");
  const settings = { sms: "SMS_URL", voice: "VOICE_URL" } as const satisfies Record<ProviderChannel, string>;
  const read = (channel: ProviderChannel) => {
    const problems: string[] = [];
    const providers = readProviderList(reader.text(settings[channel]) ?? "", { channel, secret }, problems);
    reader.problems.push(...problems.map((problem) => `${settings[channel]}: ${problem}`));
    return { providers, hasProblems: problems.length > 0 };
  };
  const sms = read("sms");
  const voice = read("voice");
  const hasAdapter = [...sms.providers, ...voice.providers].some(({ kind }) => kind.isWebAddress === true);
  if (secret !== undefined && !hasAdapter && !sms.hasProblems && !voice.hasProblems) {
    reader.problems.push("SMS_URL or VOICE_URL with the URL of an adapter is required with PROVIDER_SECRET");
  }
  if (secret !== undefined && Buffer.byteLength(secret) < 32) {
    reader.problems.push("PROVIDER_SECRET must be 32 bytes or longer");
  }
  return { sms: sms.providers, voice: voice.providers };
}

/** Includes the accounts' `signUp`, if the server has accounts. */
type DescribedSettings = ChannelSettings & { readonly signUp?: "open" | "closed" };

/** For the log of the start: the origin of each channel's provider, and notices about unavailable channels. */
export function describeChannels(
  settings: DescribedSettings,
  { isPublic, hasPublicUrl }: ServerFacts,
): StartDescription {
  const { smtp, whatsapp, whatsappWebhook, sms, voice } = settings.delivery;
  const withoutProvider = settings.inbox === "all" ? "inbox" : "unavailable";
  const sendsReally = whatsapp !== undefined || sms.length > 0 || voice.length > 0;
  const notices: StartNotice[] = [];
  if (isPublic && smtp === undefined) {
    notices.push({ level: "info", event: "email_unavailable", settings: ["SMTP_URL", "MAIL_FROM"] });
  }
  if (isPublic && whatsapp === undefined) {
    notices.push({ level: "info", event: "whatsapp_unavailable", settings: ["WHATSAPP_TOKEN"] });
  }
  if (settings.signUp === "open" && sendsReally && smtp === undefined && settings.inbox !== "all") {
    notices.push({
      level: "warn",
      event: "address_verification_unavailable",
      settings: ["SMTP_URL", "MAIL_FROM"],
    });
  }
  const silenced = [...sms, ...voice].filter(({ reportsToPublicUrl }) => reportsToPublicUrl === true);
  if (!hasPublicUrl && silenced.length > 0) {
    notices.push({ level: "warn", event: "delivery_reports_off", settings: ["PUBLIC_URL"] });
  }
  return {
    fields: {
      channels: {
        email: smtp === undefined ? withoutProvider : originOfSmtp(smtp.url),
        whatsapp: whatsapp === undefined ? withoutProvider : new URL(whatsapp.apiUrl).origin,
        sms: addressesOf(sms),
        voice: addressesOf(voice),
      } satisfies Record<ChannelName, string>,
      whatsapp_webhook: whatsappWebhook !== undefined,
    },
    notices,
  };
}

/** Such as `twilio (api.twilio.com), adapter (https://sms.example)`. */
function addressesOf(providers: readonly ConfiguredProvider[]): string {
  return providers.map(({ name, address }) => `${name} (${address})`).join(", ") || "unavailable";
}

function originOfSmtp(url: string): string {
  const { host, port, secure } = parseSmtpUrl(url);
  return `${secure ? "smtps" : "smtp"}://${host}:${port}`;
}
