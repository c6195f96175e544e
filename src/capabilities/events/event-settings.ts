import type { EnvironmentReader } from "../../config/environment-reader.ts";
import { type SettingNames, settingGroup } from "../../config/setting-group.ts";
import { retention } from "./events.policy.ts";

export interface EventSettings {
  readonly eventRetentionDays: number;
}

export const eventSettings = settingGroup("Events", {
  EVENT_RETENTION_DAYS: { default: `\`${retention.default}\``, meaning: "Days after which events are deleted." },
});

export function readEventSettings(reader: EnvironmentReader<SettingNames<typeof eventSettings>>): EventSettings {
  return { eventRetentionDays: reader.integer("EVENT_RETENTION_DAYS", retention) };
}
