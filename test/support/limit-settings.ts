import { type Config, parseConfig } from "../../src/app.ts";

/** What a server with these variables in its environment limits: requests, codes, sign-ups, and by whose address. */
export function limitsOf(
  environment: Readonly<Record<string, string>> = {},
): Pick<Config, "proxyTrust" | "defaultTier" | "sendLimits" | "signUpsPerHour"> {
  const { proxyTrust, defaultTier, sendLimits, signUpsPerHour } = parseConfig({ DATA_DIR: "/nowhere", ...environment });
  return { proxyTrust, defaultTier, sendLimits, signUpsPerHour };
}
