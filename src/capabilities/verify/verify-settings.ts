import type { EnvironmentReader } from "../../config/environment-reader.ts";
import { type SettingNames, settingGroup } from "../../config/setting-group.ts";
import type { SendLimitSettings } from "./send-limits.ts";

export interface VerifySettings {
  /** How long verifications are kept, with their messages and attempts. */
  readonly retentionDays: number;
  readonly sendLimits: SendLimitSettings;
  readonly allowsFixedCodes: boolean;
}

export const verifySettings = settingGroup("Verifications", {
  RETENTION_DAYS: {
    default: "`30`",
    meaning:
      "Days after which verifications are deleted, with their recipients and messages, and lookups of the history.",
  },
  SOURCE_SEND_LIMIT: {
    default: "none",
    meaning:
      "Codes in any 60 seconds, resends included, that one client address may send with the keys of a workspace. The tier's requests per minute always count.",
  },
  END_USER_SEND_LIMIT: {
    default: "`10`",
    meaning: "Codes per hour, resends included, for one `end_user_ip` (IPv6: for one /64), and for one `device_id`.",
  },
  ALLOW_FIXED_CODES: {
    default: "`0`",
    meaning:
      "`1`: workspaces may give a few recipients a fixed code, for reviews of apps and tests with live keys. Whoever knows the code passes as the recipient.",
  },
});

const maxSends = 1_000_000;

export function readVerifySettings(reader: EnvironmentReader<SettingNames<typeof verifySettings>>): VerifySettings {
  return {
    retentionDays: reader.integer("RETENTION_DAYS", { default: 30, min: 1, max: 3_650 }),
    sendLimits: {
      sourceSendsPerMinute: reader.integer("SOURCE_SEND_LIMIT", { min: 1, max: maxSends }),
      endUserSendsPerHour: reader.integer("END_USER_SEND_LIMIT", { default: 10, min: 1, max: maxSends }),
    },
    allowsFixedCodes: reader.choice("ALLOW_FIXED_CODES", ["0", "1"], "0") === "1",
  };
}
