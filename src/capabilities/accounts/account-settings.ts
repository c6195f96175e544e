import { type Tier, tiers } from "../../access/tiers.ts";
import type { ServerFacts, StartDescription } from "../../capability.ts";
import type { EnvironmentReader } from "../../config/environment-reader.ts";

export interface AccountSettings {
  readonly signUp: "open" | "closed";
  /** From one address. */
  readonly signUpsPerHour: number;
  /** How long a session lasts, from the sign-in on, however often it is refreshed. */
  readonly sessionMaxDays: number;
  /** Of new workspaces. */
  readonly defaultTier: Tier;
}

export function readAccountSettings(reader: EnvironmentReader, { isPublic }: ServerFacts): AccountSettings {
  return {
    signUp: reader.choice("SIGN_UP", ["open", "closed"], isPublic ? "closed" : "open"),
    signUpsPerHour: reader.integer("SIGN_UP_LIMIT", { default: 10, min: 1, max: 1_000_000 }),
    sessionMaxDays: reader.integer("SESSION_MAX_DAYS", { default: 30, min: 1, max: 3_650 }),
    defaultTier: reader.choice("DEFAULT_TIER", tiers, "starter"),
  };
}

export function describeAccounts({ signUp }: AccountSettings, { isPublic }: ServerFacts): StartDescription {
  const isClosed = isPublic && signUp === "closed";
  return {
    fields: { sign_up: signUp },
    notices: isClosed ? [{ level: "info", event: "sign-up is closed", settings: ["SIGN_UP=open"] }] : [],
  };
}
