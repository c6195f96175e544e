import type { EnvironmentReader } from "../../config/environment-reader.ts";
import { type SettingNames, settingGroup } from "../../config/setting-group.ts";
import { requestsPerMinute } from "./keys.policy.ts";

export interface KeySettings {
  /** The limit of secret keys that have none of their own. Undefined: only the limit of the workspace applies to them. */
  readonly keyRequestsPerMinute?: number | undefined;
}

export const keySettings = settingGroup("Keys", {
  KEY_REQUESTS_PER_MINUTE: {
    default: "none",
    meaning:
      "Requests in any 60 seconds that a secret key may make if it has no `requests_per_minute` of its own, within the limit of its workspace. Unset: only the limit of the workspace applies.",
  },
});

export function readKeySettings(reader: EnvironmentReader<SettingNames<typeof keySettings>>): KeySettings {
  return { keyRequestsPerMinute: reader.integer("KEY_REQUESTS_PER_MINUTE", requestsPerMinute) };
}
