import type { RecipientErasure } from "../../verify/erase-recipient.ts";

/** Deletes the lookups of an erased recipient. `flush` writes what this server has not written yet. */
export function eraseLookups(flush: () => Promise<void>): RecipientErasure {
  return {
    cte: "erased_lookups",
    prepare: flush,
    sql: ({ workspaceId, mode, indexes }) => `
      DELETE FROM lookup
      WHERE number_index = ANY (${indexes}) AND workspace_id || '' = ${workspaceId} AND mode || '' = ${mode}
      RETURNING id`,
  };
}
