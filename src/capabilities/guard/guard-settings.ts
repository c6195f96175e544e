import type { EnvironmentReader } from "../../config/environment-reader.ts";
import { type SettingNames, settingGroup } from "../../config/setting-group.ts";

export const guardModes = ["enforce", "shadow", "off"] as const;
/** What the guard does with what it finds. */
export type GuardMode = (typeof guardModes)[number];

export interface GuardServerSettings {
  /** Of workspaces that have not chosen. */
  readonly guardMode: GuardMode;
}

export const guardServerSettings = settingGroup("Fraud guard", {
  GUARD_MODE: {
    default: "`enforce`",
    meaning:
      "What the fraud guard does in workspaces that have not chosen: `enforce` refuses, `shadow` only counts what it would refuse, `off` does nothing.",
  },
});

export function readGuardSettings(
  reader: EnvironmentReader<SettingNames<typeof guardServerSettings>>,
): GuardServerSettings {
  return { guardMode: reader.choice("GUARD_MODE", guardModes, "enforce") };
}

/** SQL of the guard's mode of a workspace, given the server's mode, and then SQL of the workspace's id. */
export const modeSql =
  (serverMode: GuardMode) =>
  (workspaceId: string): string =>
    `coalesce((SELECT mode FROM guard_setting WHERE guard_setting.workspace_id = ${workspaceId}), '${serverMode}')`;
