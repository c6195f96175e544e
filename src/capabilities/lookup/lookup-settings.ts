import type { EnvironmentReader } from "../../config/environment-reader.ts";
import { type SettingNames, settingGroup } from "../../config/setting-group.ts";

export interface LookupSettings {
  /** The operator's adapter for a carrier's look-ups. Undefined: everything is offline. */
  readonly liveLookup: { readonly url: string; readonly secret: string } | undefined;
}

export const lookupSettings = settingGroup("Lookup", {
  LOOKUP_URL: {
    default: "none",
    meaning: "URL of your adapter for a carrier's live look-ups. Requires `LOOKUP_SECRET`. Unset: lookups are offline.",
  },
  LOOKUP_SECRET: {
    default: "none",
    meaning: "Secret that signs the requests to it, 32 bytes or more.",
    isSecret: true,
  },
});

export function readLookupSettings(reader: EnvironmentReader<SettingNames<typeof lookupSettings>>): LookupSettings {
  const url = reader.webUrl("LOOKUP_URL");
  const group = reader.group(["LOOKUP_URL", "LOOKUP_SECRET"]);
  if (group !== undefined && Buffer.byteLength(group.LOOKUP_SECRET) < 32 && group.LOOKUP_SECRET !== "") {
    reader.problems.push("LOOKUP_SECRET must be 32 bytes or longer");
  }
  return { liveLookup: group && url !== undefined ? { url, secret: group.LOOKUP_SECRET } : undefined };
}
