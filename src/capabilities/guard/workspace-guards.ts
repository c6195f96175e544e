import type { Mode } from "../../access/caller.ts";
import type { Queryable } from "../../database/database.ts";
import { statement, text } from "../../database/statement.ts";
import { LruMap } from "../../lru-map.ts";
import { maxKnownWorkspaces } from "./guard.policy.ts";
import type { GuardMode } from "./guard-settings.ts";
import { type GuardHook, type HookRow, hookColumns, hookOf } from "./hook/guard-hook.ts";

/** What sends of a workspace are judged by: its settings and its safe list, of one version. */
export interface WorkspaceGuard {
  /** 0: the workspace has changed nothing. */
  readonly version: number;
  /** Null: as the server is set. */
  readonly mode: GuardMode | null;
  /** Empty: all that are not blocked. */
  readonly allowedCountries: ReadonlySet<string>;
  readonly blockedCountries: ReadonlySet<string>;
  /** Null: no limit. */
  readonly sendsPerHourPerCountry: number | null;
  readonly sendsPerHourPerRange: number | null;
  readonly refuseInvalidNumbers: boolean;
  readonly sharesRecipientLimit: boolean;
  /** Entries of the safe list, as `safeKey` writes them. */
  readonly safe: ReadonlySet<string>;
  /** Undefined: there is none. */
  readonly hook: GuardHook | undefined;
}

/** A recipient's index, or a range, on the safe list of a mode. */
export function safeKey(mode: Mode, indexOrRange: string): string {
  return `${mode} ${indexOrRange}`;
}

const unchanged: WorkspaceGuard = {
  version: 0,
  mode: null,
  allowedCountries: new Set(),
  blockedCountries: new Set(),
  sendsPerHourPerCountry: null,
  sendsPerHourPerRange: null,
  refuseInvalidNumbers: false,
  sharesRecipientLimit: false,
  safe: new Set(),
  hook: undefined,
};

interface Row extends Omit<WorkspaceGuard, "allowedCountries" | "blockedCountries" | "safe" | "hook">, HookRow {
  readonly allowedCountries: readonly string[];
  readonly blockedCountries: readonly string[];
  readonly safe: readonly string[];
}

/** In one statement: the version belongs to what is read with it. */
const readGuard = statement<Row>("read_guard_of_workspace")(
  { workspaceId: text },
  (p) => `
    SELECT
      version, mode, allowed_countries, blocked_countries, sends_per_hour_per_country, sends_per_hour_per_range,
      refuse_invalid_numbers, shares_recipient_limit, ${hookColumns}, ARRAY(
        SELECT mode || ' ' || coalesce(recipient_index, number_range) FROM safe_list_entry
        WHERE workspace_id = ${p.workspaceId}
      ) AS safe
    FROM guard_setting WHERE workspace_id = ${p.workspaceId}`,
);

/**
 * The guards of workspaces as this server knows them. What it knows may be out of date: each send names the version that it was judged by, and
 * its statement lets it pass only if the workspace still has that one. So a change holds at once on every server, and nobody has to be
 * told of it.
 */
export class WorkspaceGuards {
  readonly #known = new LruMap<string, WorkspaceGuard>(maxKnownWorkspaces);

  get(workspaceId: string): WorkspaceGuard {
    return this.#known.get(workspaceId) ?? unchanged;
  }

  async refresh(database: Queryable, workspaceId: string): Promise<void> {
    const [row] = await database.run(readGuard, { workspaceId });
    if (row === undefined) {
      this.#known.delete(workspaceId);
      return;
    }
    this.#known.set(workspaceId, {
      ...row,
      allowedCountries: new Set(row.allowedCountries),
      blockedCountries: new Set(row.blockedCountries),
      safe: new Set(row.safe),
      hook: hookOf(row),
    });
  }
}
