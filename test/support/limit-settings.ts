import { type Config, parseConfig } from "../../src/app.ts";

/** The limits of a server with these environment variables: requests, codes, sign-ups, and whose address they count by. */
export function limitsOf(
  environment: Readonly<Record<string, string>> = {},
): Pick<Config, "proxyTrust" | "defaultTier" | "sendLimits" | "signUpsPerHour"> {
  const { proxyTrust, defaultTier, sendLimits, signUpsPerHour } = parseConfig({ DATA_DIR: "/nowhere", ...environment });
  return { proxyTrust, defaultTier, sendLimits, signUpsPerHour };
}
