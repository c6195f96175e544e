import { isId } from "../../crypto/ids.ts";
import { change, type Database, type Queryable } from "../../database/database.ts";
import { statement, text } from "../../database/statement.ts";
import type { Sweep } from "../../database/sweeper.ts";
import { sweepPages } from "../../database/table-sweeps.ts";
import { AppError } from "../../errors.ts";
import { type HeldCredential, heldCredential, requireCredential } from "../../revocation/held-credential.ts";
import { blockRetentionDays, maxListedBlocks } from "./guard.policy.ts";
import type { GuardMode } from "./guard-settings.ts";

/** A block in force. */
export interface GuardBlockView {
  readonly id: string;
  readonly numberRange: string;
  readonly started: number;
  readonly approved: number;
  readonly startsAt: Date;
  readonly endsAt: Date;
  /** The guard's mode of the workspace. Null: that of the server. */
  readonly mode: GuardMode | null;
}

const modeOf = (workspaceId: string) =>
  `(SELECT mode FROM guard_setting WHERE guard_setting.workspace_id = ${workspaceId})`;

const list = statement<GuardBlockView>("list_guard_blocks")(
  { workspaceId: text },
  (p) => `
    SELECT id, number_range, started, approved, starts_at, ends_at, ${modeOf(p.workspaceId)} AS mode FROM guard_block
    WHERE workspace_id = ${p.workspaceId} AND ends_at > byond_now()
    ORDER BY starts_at DESC, id DESC LIMIT ${maxListedBlocks}`,
);

/** The blocks of a workspace that are in force, newest first. */
export async function listBlocks(
  { database }: { readonly database: Queryable },
  { workspaceId }: { readonly workspaceId: string },
): Promise<readonly GuardBlockView[]> {
  return database.run(list, { workspaceId });
}

/** SQL of a block as its events show it. Times are milliseconds since 1970. */
export const blockSnapshot = (row: string) => `jsonb_build_object(
  'numberRange', ${row}.number_range, 'started', ${row}.started, 'approved', ${row}.approved,
  'startsAt', (extract(epoch FROM ${row}.starts_at) * 1000)::bigint,
  'endsAt', (extract(epoch FROM ${row}.ends_at) * 1000)::bigint,
  'mode', ${modeOf(`${row}.workspace_id`)}
)`;

/** The row stays: what was seen of the range before is not counted again, and the next block is a first one. */
const end = statement<{ ended: number }>("delete_guard_block")(
  { workspaceId: text, id: text, credential: heldCredential },
  (p) => `
    WITH ended AS (
      UPDATE guard_block SET ends_at = byond_now(), level = 0
      WHERE workspace_id = ${p.workspaceId} AND id = ${p.id} AND ends_at > byond_now()
      RETURNING *
    ), told AS (
      INSERT INTO event_pending (workspace_id, mode, type, subject_id, created_at, snapshot)
      SELECT workspace_id, 'live', 'guard_block.deleted', id, date_trunc('milliseconds', byond_now()), ${blockSnapshot("ended")}
      FROM ended
      RETURNING subject_id
    )
    SELECT (SELECT count(*) FROM ended)::integer AS ended,
      ${requireCredential(p.credential, { after: ["told"], effect: "ended" })}`,
);

/**
 * Ends a block: codes are sent to the range again. Throws `not_found` if the workspace has no such block in force, and `invalid_api_key` if the
 * credential no longer holds.
 */
export async function deleteBlock(
  { database }: { readonly database: Pick<Database, "transaction"> },
  { workspaceId, id }: { readonly workspaceId: string; readonly id: string },
  credential: HeldCredential,
): Promise<void> {
  const [row] = isId("gbl", id) ? await change(database, end, { workspaceId, id, credential }) : [];
  if (row === undefined || row.ended === 0) {
    throw new AppError("not_found", "There is no block with this id.");
  }
}

/** Removes blocks that ended long ago. */
export function blockSweep(deps: { readonly database: Pick<Database, "transaction"> }): Sweep {
  return sweepPages(deps, {
    table: "guard_block",
    isStale: `ends_at < (SELECT byond_now()) - interval '${blockRetentionDays} days'`,
  });
}
