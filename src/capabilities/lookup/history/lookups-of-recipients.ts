import type { RecipientData } from "../../recipients/recipient-data.ts";
import { readLookupsOf } from "./list-lookups.ts";
import { lookupMessage, lookupView } from "./lookup-view.ts";

/** The lookups of a recipient. `flush` writes what this server has not written yet. */
export function lookupsOfRecipients(flush: () => Promise<void>): RecipientData {
  return {
    erasure: {
      cte: "erased_lookups",
      prepare: flush,
      sql: ({ workspaceId, mode, indexes }) => `
        DELETE FROM lookup
        WHERE number_index = ANY (${indexes}) AND workspace_id || '' = ${workspaceId} AND mode || '' = ${mode}
        RETURNING id`,
    },
    export: {
      idPrefix: "lkp_",
      async read({ database, keyring }, asked) {
        await flush();
        const rows = await readLookupsOf(database, asked);
        return rows.map((row) => {
          const view = lookupView(keyring, asked.workspaceId, row);
          return {
            id: view.id,
            createdAt: view.createdAt,
            record: { lookup: lookupMessage(view), recipients: view.number === undefined ? [] : [view.number] },
          };
        });
      },
    },
  };
}
