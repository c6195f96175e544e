import type { RecipientErasure } from "../verify/erase-recipient.ts";

/** What an erasure of a recipient erases here: everything. A suppression protects nobody who asks to be forgotten (decision 62). */
export const eraseSuppressions: RecipientErasure = {
  cte: "erased_suppressions",
  sql: ({ workspaceId, mode, indexes }) => `
    DELETE FROM suppression
    WHERE recipient_index = ANY (${indexes}) AND workspace_id || '' = ${workspaceId} AND mode || '' = ${mode}
    RETURNING id`,
};
