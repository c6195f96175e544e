import type { EnvironmentReader } from "../../config/environment-reader.ts";
import { type SettingNames, settingGroup } from "../../config/setting-group.ts";
import { suppressionDays } from "./suppressions.policy.ts";

export interface SuppressionSettings {
  /** 0: no start is refused. */
  readonly suppressionDays: number;
}

export const suppressionSettings = settingGroup("Suppressions", {
  SUPPRESSION_DAYS: {
    default: `\`${suppressionDays.default}\``,
    meaning:
      "Days for which codes to a recipient are refused with `undeliverable`, after a message could not be delivered for good. WhatsApp: one day at most. `0` refuses none.",
  },
});

export function readSuppressionSettings(
  reader: EnvironmentReader<SettingNames<typeof suppressionSettings>>,
): SuppressionSettings {
  return { suppressionDays: reader.integer("SUPPRESSION_DAYS", suppressionDays) };
}
