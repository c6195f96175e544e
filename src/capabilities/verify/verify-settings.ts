import type { EnvironmentReader } from "../../config/environment-reader.ts";
import { type SettingNames, settingGroup } from "../../config/setting-group.ts";
import type { SendLimitSettings } from "./send-limits.ts";

export interface VerifySettings {
  /** How long verifications are kept, with their messages and attempts. */
  readonly retentionDays: number;
  readonly sendLimits: SendLimitSettings;
}

export const verifySettings = settingGroup("Verifications", {
  RETENTION_DAYS: { default: "`30`", meaning: "How long verifications and what belongs to them are kept." },
  SOURCE_SEND_LIMIT: {
    default: "the tier's limit",
    meaning: "Codes a minute sent for one address of a workspace's servers, resends included.",
  },
  END_USER_SEND_LIMIT: { default: "`10`", meaning: "Codes an hour for one `end_user_ip`, resends included." },
});

const mostSends = 1_000_000;

export function readVerifySettings(reader: EnvironmentReader<SettingNames<typeof verifySettings>>): VerifySettings {
  return {
    retentionDays: reader.integer("RETENTION_DAYS", { default: 30, min: 1, max: 3_650 }),
    sendLimits: {
      sourceSendsPerMinute: reader.integer("SOURCE_SEND_LIMIT", { min: 1, max: mostSends }),
      endUserSendsPerHour: reader.integer("END_USER_SEND_LIMIT", { default: 10, min: 1, max: mostSends }),
    },
  };
}
