import type { EnvironmentReader } from "../../config/environment-reader.ts";
import type { SendLimitSettings } from "../../quota/send-limits.ts";

export interface VerifySettings {
  /** How long verifications and what belongs to them are kept. */
  readonly retentionDays: number;
  readonly sendLimits: SendLimitSettings;
}

const mostSends = 1_000_000;

export function readVerifySettings(reader: EnvironmentReader): VerifySettings {
  return {
    retentionDays: reader.integer("RETENTION_DAYS", { default: 30, min: 1, max: 3_650 }),
    sendLimits: {
      sourceSendsPerMinute: reader.integer("SOURCE_SEND_LIMIT", { min: 1, max: mostSends }),
      endUserSendsPerHour: reader.integer("END_USER_SEND_LIMIT", { default: 10, min: 1, max: mostSends }),
    },
  };
}
