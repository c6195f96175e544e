import packageJson from "../package.json" with { type: "json" };
import type { App } from "./app.ts";
import type { Config } from "./config.ts";
import { parseSmtpUrl } from "./delivery/smtp-url.ts";
import type { LogFields } from "./log.ts";
import { formatIpRange } from "./rpc/access/ip-range.ts";

/**
 * What the one line of a start says: which server this is, so that one with other settings than it was meant to have can be told
 * from its log. Of URLs it has the origin, of secrets the ids.
 */
export function startedFields(
  config: Config,
  { url, databaseSecurity, secretIds }: Pick<App, "url" | "databaseSecurity" | "secretIds">,
): LogFields {
  const { database, delivery, limits } = config;
  const { smtp, whatsapp, whatsappWebhook, smsProviderUrl, voiceProviderUrl } = delivery;
  const withoutProvider = config.inbox === "all" ? "inbox" : "unavailable";
  return {
    version: packageJson.version,
    url,
    public: config.isPublic,
    tls: config.tls !== undefined,
    database:
      database.kind === "embedded"
        ? { kind: "embedded", data_dir: database.dataDir }
        : { kind: "external", ...databaseSecurity },
    sign_up: config.signUp,
    channels: {
      email: smtp === undefined ? withoutProvider : originOfSmtp(smtp.url),
      whatsapp: whatsapp === undefined ? withoutProvider : new URL(whatsapp.apiUrl).origin,
      sms: smsProviderUrl === undefined ? "unavailable" : new URL(smsProviderUrl).origin,
      voice: voiceProviderUrl === undefined ? "unavailable" : new URL(voiceProviderUrl).origin,
    },
    whatsapp_webhook: whatsappWebhook !== undefined,
    proxies: limits.proxyTrust.trustedProxies.map(formatIpRange),
    secret_ids: secretIds,
  };
}

function originOfSmtp(url: string): string {
  const { host, port, secure } = parseSmtpUrl(url);
  return `${secure ? "smtps" : "smtp"}://${host}:${port}`;
}
