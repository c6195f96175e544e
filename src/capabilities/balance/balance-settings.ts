import type { EnvironmentReader } from "../../config/environment-reader.ts";
import { readSettingFile } from "../../config/read-setting-file.ts";
import { type SettingNames, settingGroup } from "../../config/setting-group.ts";
import { type Prices, parsePrices } from "./prices.ts";

export interface BalanceSettings {
  /** Undefined: nothing costs anything, and workspaces have no balance. */
  readonly prices: Prices | undefined;
}

export const balanceSettings = settingGroup("Prices", {
  PRICES: {
    default: "none",
    meaning:
      "Path of a JSON file with the prices of messages and lookups. Workspaces then have a balance, which `byond top-up` fills, and can have spend caps. Unset: nothing costs anything.",
  },
});

export function readBalanceSettings(reader: EnvironmentReader<SettingNames<typeof balanceSettings>>): BalanceSettings {
  const path = reader.text("PRICES");
  if (path === undefined) {
    return { prices: undefined };
  }
  let text: string;
  try {
    text = readSettingFile(path).toString("utf8");
  } catch (error) {
    reader.problems.push(`PRICES: the file cannot be read: ${error instanceof Error ? error.message : "unknown"}`);
    return { prices: undefined };
  }
  return { prices: parsePrices(text, (problem) => reader.problems.push(`PRICES: ${problem}`)) };
}
