import type { Queryable } from "../../database/database.ts";
import { statement, text } from "../../database/statement.ts";
import type { GuardMode } from "./guard-settings.ts";
import { type GuardHook, type HookRow, hookColumns, hookOf, noHook } from "./hook/guard-hook.ts";

/** The settings of a workspace's guard. */
export interface GuardView {
  readonly mode: GuardMode;
  /** ISO 3166. Empty: all that are not blocked. */
  readonly allowedCountries: readonly string[];
  readonly blockedCountries: readonly string[];
  /** Null: no limit. */
  readonly sendsPerHourPerCountry: number | null;
  readonly sendsPerHourPerRange: number | null;
  readonly refuseInvalidNumbers: boolean;
  readonly hook: Pick<GuardHook, "url" | "onFailure"> | undefined;
}

/** A row of a statement that returns `guardColumns`. Null: as the server is set. */
export interface GuardRow extends Omit<GuardView, "mode" | "hook">, HookRow {
  readonly mode: GuardMode | null;
}

/** SQL of the columns of a `GuardRow`. */
export const guardColumns = `
  mode, allowed_countries, blocked_countries, sends_per_hour_per_country, sends_per_hour_per_range, refuse_invalid_numbers, ${hookColumns}`;

const read = statement<GuardRow>("get_guard")(
  { workspaceId: text },
  (p) => `SELECT ${guardColumns} FROM guard_setting WHERE workspace_id = ${p.workspaceId}`,
);

const unchanged: GuardRow = {
  mode: null,
  allowedCountries: [],
  blockedCountries: [],
  sendsPerHourPerCountry: null,
  sendsPerHourPerRange: null,
  refuseInvalidNumbers: false,
  ...noHook,
};

/** The settings of a workspace's guard. */
export async function getGuard(
  { database, guardMode }: { readonly database: Queryable; readonly guardMode: GuardMode },
  { workspaceId }: { readonly workspaceId: string },
): Promise<GuardView> {
  const [row = unchanged] = await database.run(read, { workspaceId });
  return guardView(row, guardMode);
}

/** The settings of a row. `guardMode`: as the server is set. */
export function guardView(row: GuardRow, guardMode: GuardMode): GuardView {
  return { ...row, mode: row.mode ?? guardMode, hook: hookOf(row) };
}
