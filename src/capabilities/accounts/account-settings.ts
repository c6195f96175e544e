import { type Tier, tiers } from "../../access/tiers.ts";
import type { ServerFacts, StartDescription } from "../../capability.ts";
import type { EnvironmentReader } from "../../config/environment-reader.ts";
import { type SettingNames, settingGroup } from "../../config/setting-group.ts";

export interface AccountSettings {
  readonly signUp: "open" | "closed";
  /** From one client address. */
  readonly signUpsPerHour: number;
  /** Lifetime of a session from sign-in, however often it is refreshed. */
  readonly sessionMaxDays: number;
  /** Of new workspaces. */
  readonly defaultTier: Tier;
}

export const accountSettings = settingGroup("Accounts", {
  SIGN_UP: {
    default: "`open`, on a public server `closed`",
    meaning: "`open`: anybody can create an account. `closed`: only the command `create-account` does.",
  },
  SIGN_UP_LIMIT: {
    default: "`10`",
    meaning: "Sign-ups per hour from one address (IPv6: from one /64). Behind a proxy, set `TRUSTED_PROXIES` too.",
  },
  SESSION_MAX_DAYS: {
    default: "`30`",
    meaning: "Days after which a session ends, counted from sign-in. Refreshing does not extend it.",
  },
  DEFAULT_TIER: {
    default: "`starter`",
    meaning:
      "Tier of new workspaces, which limits their requests in any 60 seconds: `starter` 1,000, `builder` 5,000, `scale` 20,000, `unlimited`.",
  },
});

type Reader = EnvironmentReader<SettingNames<typeof accountSettings>>;

export function readAccountSettings(reader: Reader, { isPublic }: ServerFacts): AccountSettings {
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
    notices: isClosed ? [{ level: "info", event: "sign_up_closed", settings: ["SIGN_UP=open"] }] : [],
  };
}
