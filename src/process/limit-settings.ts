import { type Tier, tiers } from "../access/tiers.ts";
import type { EnvironmentReader } from "../config/environment-reader.ts";
import type { SendLimitSettings } from "../quota/send-limits.ts";
import type { ProxyTrust } from "../server/client-address.ts";
import { parseIpRange } from "../server/ip-range.ts";

export interface LimitsConfig {
  /** Whose word about the address of a client is taken. */
  readonly proxyTrust: ProxyTrust;
  /** Of new workspaces. */
  readonly defaultTier: Tier;
  readonly sendLimits: SendLimitSettings;
  /** From one address. */
  readonly signUpsPerHour: number;
}

const mostSends = 1_000_000;

export function readLimitsConfig(reader: EnvironmentReader): LimitsConfig {
  return {
    proxyTrust: { header: readHeaderName(reader), trustedProxies: readTrustedProxies(reader) },
    defaultTier: reader.choice("DEFAULT_TIER", tiers, "starter"),
    sendLimits: {
      sourceSendsPerMinute: reader.integer("SOURCE_SEND_LIMIT", { min: 1, max: mostSends }),
      endUserSendsPerHour: reader.integer("END_USER_SEND_LIMIT", { default: 10, min: 1, max: mostSends }),
    },
    signUpsPerHour: reader.integer("SIGN_UP_LIMIT", { default: 10, min: 1, max: mostSends }),
  };
}

function readHeaderName(reader: EnvironmentReader): string {
  const set = reader.text("CLIENT_ADDRESS_HEADER");
  // It is read from proxies that are trusted, and from nobody else.
  reader.require("TRUSTED_PROXIES", set === undefined ? [] : ["CLIENT_ADDRESS_HEADER"]);
  const name = (set ?? "x-forwarded-for").toLowerCase();
  if (!/^[a-z0-9-]+$/.test(name) || name === "forwarded") {
    reader.problems.push("CLIENT_ADDRESS_HEADER must name a header that holds a list of plain addresses");
  }
  return name;
}

function readTrustedProxies(reader: EnvironmentReader): ProxyTrust["trustedProxies"] {
  const entries = reader.list("TRUSTED_PROXIES");
  // Behind a comma at the end nobody is missing.
  const named = entries.length > 1 && entries.at(-1) === "" ? entries.slice(0, -1) : entries;
  return named.flatMap((entry) => {
    const range = parseIpRange(entry);
    if (typeof range === "string") {
      reader.problems.push(`TRUSTED_PROXIES: ${entry} ${range}`);
      return [];
    }
    return [range];
  });
}
