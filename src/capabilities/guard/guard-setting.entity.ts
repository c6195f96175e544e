import { defineEntity, p } from "@mikro-orm/core";
import { guardModes } from "./guard-settings.ts";

/** The guard of a workspace, if it is not what the server does by default. */
export const GuardSettingEntity = defineEntity({
  name: "GuardSetting",
  tableName: "guard_setting",
  properties: {
    workspaceId: p.text().primary(),
    /** Goes up with every change of the row, and of the workspace's safe list. Sends name the one that they were judged by. */
    version: p.integer(),
    /** Null: as the server is set. */
    mode: p.enum([...guardModes]).nullable(),
    /** ISO 3166. Empty: all that are not blocked. */
    allowedCountries: p.array(String).columnType("text[]").defaultRaw("'{}'"),
    blockedCountries: p.array(String).columnType("text[]").defaultRaw("'{}'"),
    /** Null: no limit. */
    sendsPerHourPerCountry: p.integer().nullable(),
    sendsPerHourPerRange: p.integer().nullable(),
    refuseInvalidNumbers: p.boolean().default(false),
    /** So little of all traffic is approved that the workspace shares a bucket for each recipient with unverified ones. */
    sharesRecipientLimit: p.boolean().default(false),
    /** Null: there is no hook. */
    hookUrl: p.text().nullable(),
    hookOnFailure: p.enum(["allow", "refuse"]).nullable(),
    hookSecretId: p.text().nullable(),
    hookSecretSealed: p.blob().nullable(),
  },
  indexes: [{ name: "guard_setting_of_hook_secret", properties: "hookSecretId", where: "hook_secret_id IS NOT NULL" }],
});
