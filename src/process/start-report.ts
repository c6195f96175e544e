import packageJson from "../../package.json" with { type: "json" };
import type { Capability, StartNotice } from "../capability.ts";
import type { ConnectionSecurity } from "../database/connection.ts";
import type { LogFields } from "../observe/log.ts";
import { formatIpRange } from "../server/ip-range.ts";
import { factsOf, type ServerConfig } from "./server-config.ts";

/** The version of the server. */
export const { version } = packageJson;

/** What is only known of a server once it runs. */
export interface StartedServer {
  readonly url: string;
  readonly databaseSecurity: ConnectionSecurity;
  /** The ids of the master secrets, the current one first. An id reveals nothing about its secret. */
  readonly secretIds: readonly string[];
}

/**
 * The fields of the log line `started`. They show the effective settings, so that a misconfigured server can be recognized from
 * its log. URLs are reduced to their origins, secrets to their ids.
 */
export function startedFields(
  config: ServerConfig,
  capabilities: readonly Capability[],
  { url, databaseSecurity, secretIds }: StartedServer,
): LogFields {
  const { database, proxyTrust, allowedNetworks } = config;
  return {
    version,
    url,
    public: config.isPublic,
    tls: config.tls !== undefined,
    database:
      database.kind === "embedded"
        ? { kind: "embedded", data_dir: database.dataDir }
        : { kind: "external", ...databaseSecurity },
    proxies: proxyTrust.trustedProxies.map(formatIpRange),
    ...(allowedNetworks.length === 0 ? {} : { allowed_networks: allowedNetworks.map(formatIpRange) }),
    secret_ids: secretIds,
    ...(config.workers === 1 ? {} : { workers: config.workers }),
    ...describedFields(config, capabilities),
  };
}

/** Log lines after a start: what is closed because the server is public, and what is unsafe, each with the setting to change. */
export function startNotices(config: ServerConfig, capabilities: readonly Capability[]): StartNotice[] {
  const { isPublic, metricsToken, publicUrl, tls, proxyTrust } = config;
  const notices: StartNotice[] = [];
  if (config.emptySettings.length > 0) {
    notices.push({ level: "warn", event: "empty_settings", settings: config.emptySettings });
  }
  if (config.envFile !== undefined) {
    notices.push({ level: "info", event: "env_file_read", settings: config.envFile.settings });
  }
  if (config.envFile?.isReadableByAll) {
    notices.push({
      level: "warn",
      event: "env_file_world_readable",
      settings: ["chmod 600 .env"],
    });
  }
  if (config.settingFiles.readableByAll.length > 0) {
    notices.push({ level: "warn", event: "secret_files_world_readable", settings: config.settingFiles.readableByAll });
  }
  if (isPublic && metricsToken === undefined) {
    notices.push({ level: "info", event: "metrics_closed", settings: ["METRICS_TOKEN"] });
  }
  if (isHttps(publicUrl) && tls === undefined && proxyTrust.trustedProxies.length === 0) {
    notices.push({
      level: "warn",
      event: "trusted_proxies_missing",
      settings: ["TRUSTED_PROXIES"],
    });
  }
  if (proxyTrust.trustedProxies.some(({ prefixLength }) => prefixLength === 0)) {
    notices.push({
      level: "warn",
      event: "trusted_proxies_unrestricted",
      settings: ["TRUSTED_PROXIES"],
    });
  }
  return [...notices, ...describeAll(config, capabilities).flatMap((description) => description.notices ?? [])];
}

/** What the capabilities say of their settings. */
export function describedFields(config: ServerConfig, capabilities: readonly Capability[]): LogFields {
  return Object.assign({}, ...describeAll(config, capabilities).map(({ fields }) => fields));
}

function describeAll(config: ServerConfig, capabilities: readonly Capability[]) {
  return capabilities.map((capability) => capability.describe?.(config, factsOf(config)) ?? {});
}

function isHttps(url: string | undefined): boolean {
  return url !== undefined && new URL(url).protocol === "https:";
}
