import packageJson from "../../package.json" with { type: "json" };
import { parseSmtpUrl } from "../capabilities/channels/email/smtp-url.ts";
import type { ConnectionSecurity } from "../database/connection.ts";
import type { LogFields } from "../observe/log.ts";
import { formatIpRange } from "../server/ip-range.ts";
import type { Config } from "./config.ts";

/** What is known of a server once it runs. */
export interface StartedServer {
  readonly url: string;
  readonly databaseSecurity: ConnectionSecurity;
  readonly secretIds: readonly string[];
}

/**
 * What the one line of a start says: which server this is, so that one with other settings than it was meant to have can be told
 * from its log. Of URLs it has the origin, of secrets the ids.
 */
export function startedFields(config: Config, { url, databaseSecurity, secretIds }: StartedServer): LogFields {
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
