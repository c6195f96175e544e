import type { Config } from "./config.ts";

/** A line of the log that an operator should read at the start. */
export interface StartNotice {
  readonly level: "info" | "warn";
  readonly event: string;
  /** What to set to change it, or what it is about. */
  readonly settings: readonly string[];
}

/** What is closed because the server is public, and what its settings leave unsafe, each with the setting that changes it. */
export function startNotices(config: Config): StartNotice[] {
  const { delivery, isPublic, metricsToken, publicUrl, signUp, tls, limits } = config;
  const notices: StartNotice[] = [];
  if (config.emptySettings.length > 0) {
    notices.push({ level: "warn", event: "empty settings count as unset", settings: config.emptySettings });
  }
  if (config.hasUnreadEnvFile) {
    notices.push({ level: "warn", event: "a .env file is here and is not read", settings: ["node --env-file=.env"] });
  }
  if (isPublic && signUp === "closed") {
    notices.push({ level: "info", event: "sign-up is closed", settings: ["SIGN_UP=open"] });
  }
  if (isPublic && metricsToken === undefined) {
    notices.push({ level: "info", event: "/metrics is closed", settings: ["METRICS_TOKEN"] });
  }
  if (isPublic && delivery.smtp === undefined) {
    notices.push({ level: "info", event: "email is unavailable", settings: ["SMTP_URL", "MAIL_FROM"] });
  }
  if (isPublic && delivery.whatsapp === undefined) {
    notices.push({ level: "info", event: "whatsapp is unavailable", settings: ["WHATSAPP_TOKEN"] });
  }
  if (signUp === "open" && sendsReally(delivery) && delivery.smtp === undefined && config.inbox !== "all") {
    notices.push({
      level: "warn",
      event: "nobody can prove an address, and so use the live keys of a new account: no mail is sent",
      settings: ["SMTP_URL", "MAIL_FROM"],
    });
  }
  if (isHttps(publicUrl) && tls === undefined && limits.proxyTrust.trustedProxies.length === 0) {
    notices.push({
      level: "warn",
      event: "all clients count as one address, that of the proxy in front of https",
      settings: ["TRUSTED_PROXIES"],
    });
  }
  if (limits.proxyTrust.trustedProxies.some(({ prefixLength }) => prefixLength === 0)) {
    notices.push({
      level: "warn",
      event: "every client is believed what it says of its own address: each one is a trusted proxy",
      settings: ["TRUSTED_PROXIES"],
    });
  }
  return notices;
}

function sendsReally({ whatsapp, smsProviderUrl, voiceProviderUrl }: Config["delivery"]): boolean {
  return whatsapp !== undefined || smsProviderUrl !== undefined || voiceProviderUrl !== undefined;
}

function isHttps(url: string | undefined): boolean {
  return url !== undefined && new URL(url).protocol === "https:";
}
