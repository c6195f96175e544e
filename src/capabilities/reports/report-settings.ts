import type { EnvironmentReader } from "../../config/environment-reader.ts";
import { type SettingNames, settingGroup } from "../../config/setting-group.ts";
import { retention } from "./reports.policy.ts";

export interface ReportSettings {
  readonly reportRetentionDays: number;
}

export const reportSettings = settingGroup("Reports", {
  REPORT_RETENTION_DAYS: {
    default: `\`${retention.default}\``,
    meaning:
      "Days for which reports know what became of verifications and requests. They hold numbers only, and are kept longer than the verifications.",
  },
});

export function readReportSettings(reader: EnvironmentReader<SettingNames<typeof reportSettings>>): ReportSettings {
  return { reportRetentionDays: reader.integer("REPORT_RETENTION_DAYS", retention) };
}
